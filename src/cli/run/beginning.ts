/** Tells of a run that could not begin, through the alerter of its file. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import { ConfigFileError } from "../../config/ConfigFileError.ts"
import { explainOne } from "../../config/internal/file/positions.ts"
import { posted } from "../../internal/alerts/alerter.ts"
import { wordsOf } from "../../internal/alerts/words.ts"
import { english, type Words } from "../../internal/text/alertWords.ts"
import { causeDetail, causeHeadline, causeTags } from "../../internal/text/errors.ts"
import type { LoadRequest } from "../request.ts"
import { stopAlert } from "../supervise/alerts.ts"
import { State } from "../supervise/state.ts"
import type { Monitoring } from "./monitoring.ts"

/** How many mistakes in a file an alert shows. The others are in its detail. */
const maxShown = 5

/** The time limit of posting. */
const patience = "30 seconds"

/** Returns the alert of a run that could not begin, or that failed outside of the runs that had begun. */
export const failureAlert = (
  name: string,
  { config, pipeline }: Pick<LoadRequest, "config" | "pipeline">,
  cause: Cause.Cause<unknown>,
  begun: boolean,
  words: Words
): Alert => {
  const error = Cause.squash(cause)
  const mistakes = error instanceof ConfigFileError ? error.issues.map(explainOne) : []
  const more = mistakes.length - maxShown
  const headline = mistakes[0] ?? causeHeadline(cause)
  const detail = mistakes.length === 0 ? causeDetail(cause) : mistakes.join("\n")
  return Alert.make({
    title: words[begun ? "failedOutsideOfRuns" : "couldNotBegin"](name),
    severity: "error",
    body: [headline, ...mistakes.slice(1, maxShown), ...(more > 0 ? [words.andMore(more)] : [])].join("\n"),
    fields: [
      ...(config === undefined ? [] : [{ name: words.configFile, value: config }]),
      ...(pipeline === undefined ? [] : [{ name: words.pipeline, value: pipeline }])
    ],
    // only what the body does not show
    detail: detail === headline || (mistakes.length > 0 && more <= 0) ? undefined : detail,
    // that of the run, so that the next one that succeeds resolves it
    dedupeKey: name,
    tags: [...(begun ? [] : ["not-begun"]), ...causeTags(cause)]
  })
}

/** The alerter of a file, built before anything else is loaded. */
export interface Beginning {
  /** The layer of the alerter, once it is built. */
  readonly alerter: Layer.Layer<Alerter> | undefined
  readonly post: (alert: Alert) => Effect.Effect<void>
  /** The words of the alerter. */
  readonly words: Words
}

/** Builds the alerter of a file. Where it can't be built, loading the file says why. */
export const begin = <E, R>(alerter: Layer.Layer<Alerter, E, R> | undefined) =>
  Effect.gen(function*() {
    const built = alerter === undefined ? undefined : yield* Effect.exit(Layer.build(alerter))
    if (built === undefined || built._tag === "Failure") {
      if (built !== undefined && Cause.hasInterruptsOnly(built.cause)) return yield* Effect.interrupt
      return { alerter: undefined, post: () => Effect.void, words: english } satisfies Beginning
    }
    const context = built.value
    const words = wordsOf(Context.get(context, Alerter)) ?? english
    return {
      alerter: Layer.succeedContext(context),
      words,
      post: (alert) =>
        // where it fails, the ledger knows, and the closing lines tell of it
        Effect.ignoreCause(Effect.timeout(posted(alert, Context.get(context, Alerter)), patience))
    } satisfies Beginning
  })

/** The circumstances of an end. */
export interface Ending {
  /** The name of the job in alerts. */
  readonly name: string
  /** The name of the pipeline, once it is loaded. */
  readonly pipelineName: string | undefined
  readonly since: number
  readonly begun: boolean
  /** Whether the pipeline failed outside of any run, and no hook has told of it. */
  readonly untold: boolean
  /** The signal that has stopped the process, which nobody else tells of. */
  readonly stoppedBy: NodeJS.Signals | undefined
  /** Why the process itself has interrupted the program, if it has. */
  readonly failure?: string | undefined
}

/** Posts what has kept a run from beginning, and tells monitors. Whoever presses Ctrl-C knows of it. */
export const tell = (
  { post, words }: Beginning,
  monitoring: Pick<Monitoring, "tell">,
  request: Pick<LoadRequest, "config" | "pipeline">,
  exit: Exit.Exit<unknown, unknown>,
  { begun, failure, name, pipelineName, since, stoppedBy, untold }: Ending
): Effect.Effect<void> => {
  if (exit._tag === "Success") return Effect.void
  const all = (alert: Alert, isStopped: boolean): Effect.Effect<void> => {
    monitoring.tell(alert, pipelineName, isStopped)
    return post(alert)
  }
  const failed = (cause: Cause.Cause<unknown>) => all(failureAlert(name, request, cause, begun, words), false)
  if (!Cause.hasInterruptsOnly(exit.cause)) return begun && !untold ? Effect.void : failed(exit.cause)
  if (begun) return Effect.void
  if (failure !== undefined) return failed(Cause.fail(failure))
  if (stoppedBy === undefined || stoppedBy === "SIGINT") return Effect.void
  const death = { code: undefined, signal: stoppedBy, at: Date.now(), since, stderr: "" }
  return all(stopAlert(new State(), name, stoppedBy, death, words), true)
}
