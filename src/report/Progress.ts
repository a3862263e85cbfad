/**
 * Shows runs while they go on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import process from "node:process"
import { checked } from "../internal/model/options.ts"
import { colorsOn, type StreamName } from "../internal/text/terminal.ts"
import * as Writer from "../internal/text/writer.ts"
import { type Observer, Observers, type RunEvent } from "../RunEvent.ts"
import { line } from "./internal/events/line.ts"
import { StepNames } from "./internal/events/stepNames.ts"
import { make as makeGithub } from "./internal/progress/github.ts"
import { make as makeGitlab } from "./internal/progress/gitlab.ts"
import type { Live } from "./internal/progress/live.ts"
import { liveOn } from "./internal/progress/liveOn.ts"
import { type Mode, modeFor, surroundings } from "./internal/progress/settings.ts"

/**
 * Options of {@link layerProgress}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ProgressOptions {
  /**
   * - `tree`: a tree that is redrawn ten times a second, below all other output.
   * - `plain`: a line for each step, failed attempt and failed hook.
   * - `github`: the lines of `plain` for the log of GitHub Actions, in a group for each run, with an annotation for
   *   each step and hook that failed.
   * - `gitlab`: the lines of `plain` for the job log of GitLab CI, in a section for each run.
   * - `auto` (default): `tree` on a terminal, unless `TERM=dumb` or `CI` is set, or the script's other stream goes
   *   through a pipe; `github` where `GITHUB_ACTIONS=true`, `gitlab` where `GITLAB_CI=true`; else `plain`.
   */
  readonly mode?: "auto" | "tree" | "plain" | "github" | "gitlab" | undefined
  /**
   * The stream to write to. `stderr` by default, so that the script's own output can be piped. `github` and
   * `gitlab` always write to `stdout`, where the runner of GitHub Actions reads commands, and GitLab keeps lines in order.
   */
  readonly stream?: "stdout" | "stderr" | undefined
  /** Colours of the tree. `auto` (default): on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` goes before both. */
  readonly colors?: "auto" | "always" | "never" | undefined
}

/**
 * Shows the runs of the program that it is provided to: on a terminal as a live tree of steps, with attempts, hooks,
 * progress and outcomes; elsewhere as lines.
 *
 * **Details**
 *
 * While a tree is shown, output to `console`, `process.stdout` and `process.stderr` appears above it. When a run has
 * ended, its tree stays as text. Cursor and streams are restored then, and also when the process is killed by a signal
 * or an uncaught error.
 *
 * Characters in names and messages that a terminal or the runner of GitHub Actions would obey are shown, as `\u{1b}`.
 * Text that a step prints by itself is not changed.
 *
 * The layer adds an observer to those already provided. Provided twice, it shows a run once.
 *
 * **Gotchas**
 *
 * Output that reaches the terminal without those streams, such as that of a child process that inherits them, is drawn
 * into the tree, unless {@link pauseProgress} clears it for that. The tree of `epilogue run --supervise` is above
 * neither: its supervisor reads what the run and all processes that inherit its streams print.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { runMain } from "effect-epilogue/main"
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.sleep("1 second"))
 *
 * Pipeline.make("etl", load).pipe(Effect.provide(Report.layerProgress()), runMain)
 *
 * // lines on standard output, wherever it goes
 * const lines = Report.layerProgress({ mode: "plain", stream: "stdout" })
 * ```
 *
 * @see {@link layerRecord} to look at a run afterwards
 * @category layers
 * @since 0.1.0
 */
export const layerProgress = (options: ProgressOptions = {}): Layer.Layer<never> =>
  // fresh, since a memoized layer would bring back the observers of the place where it was built first
  Layer.fresh(Layer.effect(
    Observers,
    Effect.gen(function*() {
      const { colors, mode = "auto", stream = "stderr" } = checked("Report.layerProgress", options, {
        mode: 0,
        stream: 0,
        colors: 0
      })
      const present = yield* Observers
      if (present.some((observer) => showing.has(observer))) return present
      const chosen = mode === "auto" ? modeFor(stream, surroundings()) : mode
      const context = yield* Effect.context<never>()
      const observer = chosen === "tree"
        ? yield* tree(() => liveOn(stream, colorsOn(stream, colors), context))
        : yield* lines(chosen, stream)
      showing.add(observer)
      return [...present, observer]
    })
  ))

/**
 * Evaluates an effect while no tree is shown, so that what it writes to the terminal by itself stays there: the output of a
 * child process that inherits the streams, or of a program that asks a question.
 *
 * **Details**
 *
 * The tree is cleared, and is drawn again, below that output, when the effect has ended. Other steps go on meanwhile. Where
 * no tree is shown, nothing changes. Under `epilogue run --supervise` it is not needed for output, but for a program that
 * draws on the terminal itself.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 * import { ChildProcess } from "effect/process"
 *
 * const make = ChildProcess.make("make", { stdout: "inherit", stderr: "inherit" })
 * const compile = Effect.scoped(Effect.flatMap(make, ({ exitCode }) => exitCode))
 *
 * const build = Step.make("build", Report.pauseProgress(compile))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const pauseProgress = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const live = theLive.current()
    return live === undefined
      ? effect
      : Effect.acquireUseRelease(Effect.sync(() => live.pause()), () => effect, (resume) => Effect.sync(resume))
  })

/** The observers that show progress, so that of two layers, one in the other, only the outer one does. */
const showing = new WeakSet<Observer>()

type Grouping = (event: RunEvent) => ReadonlyArray<string>

/** Returns a function that acquires a value shared by all who use it at the same time, and makes it for the first. */
const sharing = <A>() => {
  let held: { readonly value: A; users: number } | undefined
  const share = (make: () => A): Effect.Effect<A, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        held ??= { value: make(), users: 0 }
        held.users++
        return held.value
      }),
      () =>
        Effect.sync(() => {
          if (held !== undefined && --held.users === 0) held = undefined
        })
    )
  return Object.assign(share, { current: (): A | undefined => held?.value })
}

// The process has one terminal and one log: two trees would draw over each other, and groups in a log can't nest.
const theLive = sharing<Live>()
const logs = {
  github: { sharing: sharing<Grouping>(), make: makeGithub },
  gitlab: { sharing: sharing<Grouping>(), make: makeGitlab }
}

/** Prints lines by effect's `Console`, which tests can replace. */
const lines = (mode: Exclude<Mode, "tree">, stream: StreamName): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const printers = yield* Writer.printers
    yield* ignoringClosedPipe(mode === "plain" ? stream : "stdout")
    if (mode !== "plain") {
      const toLines = yield* logs[mode].sharing(logs[mode].make)
      return (event) => {
        for (const text of toLines(event)) printers.command(text)
      }
    }
    const print = printers.line(stream)
    const names = new StepNames()
    return (event) => {
      names.observe(event)
      const text = line(event, names)
      if (text !== undefined) print(text)
    }
  })

/**
 * Ignores, until the scope closes, that the reader of a stream has gone, as behind `head`: the run should go on, but
 * Node ends the process for an error that no listener handles.
 */
const ignoringClosedPipe = (name: StreamName): Effect.Effect<void, never, Scope.Scope> => {
  const stream = process[name]
  const use = (change: number) => {
    users[name] += change
    stream.off("error", unlessClosed)
    if (users[name] > 0) stream.on("error", unlessClosed)
  }
  return Effect.acquireRelease(
    Effect.sync(() => use(1)),
    // later, since the error of the last write is emitted after it
    () => Effect.sync(() => void setImmediate(() => use(-1)))
  )
}

const users: Record<StreamName, number> = { stdout: 0, stderr: 0 }

function unlessClosed(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && this.listenerCount("error") === 1) throw error
}

const tree = (make: () => Live): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { close, observer } = (yield* theLive(make)).watch()
    yield* Effect.addFinalizer(() => Effect.sync(close))
    return observer
  })
