/**
 * What the command does with a user's modules. It is built apart from the rest, with
 * `effect` and the library's modules left out of it, so that it has the same ones as
 * the modules that it imports.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Alerter } from "../../Alerter.ts"
import { jsonSchema } from "../../config/Document.ts"
import { clean } from "../../internal/text/fit.ts"
import { isRecordError } from "../../report/RecordError.ts"
import type { RunEvent } from "../../RunEvent.ts"
import { ExitCode, type LoadRequest, type RunRequest } from "../request.ts"
import { connect, observing, type Supervisor, telling } from "../supervise/child.ts"
import * as Supervision from "../supervise/config.ts"
import { supervise } from "../supervise/parent.ts"
import { toLine, toTold, toUnheard } from "../supervise/protocol.ts"
import { err, out, services } from "./environment.ts"
import { load, type Loaded } from "./loading.ts"
import * as Observers from "./observers.ts"
import * as Progress from "./openWork.ts"
import { explained, line, plural } from "./output.ts"
import { again } from "./runtime.ts"
import * as Signals from "./signals.ts"
import { keep } from "./stdout.ts"
import { causeText, errorText } from "./text.ts"

/** Loads, and does something with it; what is wrong with the config or a module is told. */
const withLoaded = async (
  request: LoadRequest,
  use: (loaded: Loaded) => Promise<number>,
  supervisor?: Supervisor
): Promise<number> => {
  // who supervises hears of each alert that has arrived, so that none is repeated
  const alerter = supervisor === undefined ? undefined : telling(supervisor)
  const result = await Effect.runPromise(load(request, alerter).pipe(Effect.provide(services), Effect.result))
  if (result._tag === "Success") return use(result.success)
  err(clean(result.failure.message))
  return ExitCode.usage
}

/** Runs a pipeline: in this process, or in one that this one follows, which does the same again. */
export const run = async (request: RunRequest): Promise<number> => {
  const supervisor = connect()
  // before any module of the user's, which may print when it is imported, and before any alert of a crash
  const emit = request.json ? keep() : undefined
  if (supervisor === undefined && request.supervise !== false) {
    const supervision = await Effect.runPromise(Effect.provide(Supervision.read(request), services))
    if (supervision !== undefined && (request.supervise ?? supervision.alerter !== undefined)) {
      if (request.progress === "tree") err("plain lines, as the run is supervised; the tree is for --no-supervise")
      return follow(supervision)
    }
  }
  const code = await withLoaded(request, (loaded) => runLoaded(request, loaded, supervisor, emit), supervisor)
  return supervisor?.isUnheard() === true ? toUnheard(code) : code
}

const follow = async ({ alerter, pipeline, secrets }: Supervision.Supervision): Promise<number> => {
  const followed = supervise({ ...again(), pipeline, alerter, secrets })
  const result = await Effect.runPromise(followed.pipe(Effect.provide(services), Effect.result))
  if (result._tag === "Success") return result.success
  err(`error: ${errorText(result.failure)}`)
  return ExitCode.failed
}

/** Runs a pipeline in this process, and tells the supervisor, if there is one. */
const runLoaded = async (
  request: RunRequest,
  { pipeline, pipelineName, unusedSteps }: Loaded,
  supervisor: Supervisor | undefined,
  emit: ((text: string) => void) | undefined
): Promise<number> => {
  supervisor?.tell({ _tag: "Loaded", pipelineName })
  const { logLevel } = request
  const progress = Progress.make(supervisor)
  const print = (event: RunEvent) => {
    if (emit !== undefined) return emit(toLine(toTold(event)))
    const text = line(event)
    if (text !== undefined) out(text)
  }
  const observers = await Observers.make(request, {
    isSupervised: supervisor !== undefined,
    observer: progress.observer,
    print
  })
  const environment = Layer.mergeAll(
    observers.layer,
    Layer.succeed(Tracer.Tracer, progress.tracer),
    logLevel === undefined ? Layer.empty : Layer.succeed(References.MinimumLogLevel, logLevel),
    supervisor === undefined ? Alerter.layerConsole : telling(supervisor)(Alerter.layerConsole),
    services
  )
  const observed = supervisor === undefined ? pipeline : Effect.provide(pipeline, observing(supervisor))
  // a pipeline that waits for a promise alone would not keep the process
  const alive = setInterval(() => {}, 2_147_483_647)
  // before it begins, so that no signal comes too early
  const stopListening = Signals.listen(
    () => `interrupting ${pipelineName}`,
    () => fiber.interruptUnsafe(fiber.id),
    supervisor === undefined ? progress.open : undefined,
    observers.say
  )
  const fiber = Effect.runFork(Effect.provide(observed, environment))
  const exit = await Effect.runPromise(Fiber.await(fiber))
  stopListening()
  clearInterval(alive)
  if (exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)) {
    const error = Cause.squash(exit.cause)
    if (!progress.started() && isRecordError(error)) {
      err(`error: ${error.message}`)
      return ExitCode.usage
    }
    err(`${pipelineName} failed: ${causeText(exit.cause)}`)
  }
  const recorded = observers.recorded()
  if (recorded !== undefined) err(`recorded: epilogue show ${recorded}`)
  for (const step of await Effect.runPromise(unusedSteps)) err(`the config names a step "${step}", which never ran`)
  return exitCode(exit, progress.started())
}

const exitCode = (exit: Exit.Exit<unknown, unknown>, started: boolean): number => {
  if (exit._tag === "Success") return ExitCode.success
  if (Cause.hasInterruptsOnly(exit.cause)) return ExitCode.interrupted
  return !started && mistakes.has(tagOf(Cause.squash(exit.cause))) ? ExitCode.usage : ExitCode.failed
}

/** What tells, before anything has run, that parameters or the config are wrong. */
const mistakes: ReadonlySet<unknown> = new Set(["ConfigFileError", "ParamsError"])

const tagOf = (error: unknown): unknown => Predicate.hasProperty(error, "_tag") ? error._tag : undefined

/** Loads all that a run would, and runs nothing. */
export const check = (request: LoadRequest): Promise<number> =>
  withLoaded(request, async ({ explain, pipelineName }) => {
    out(`${pipelineName}: no mistakes found (${plural(explain.length, "step")} known)`)
    return ExitCode.success
  })

/** Prints which hooks each step has, and where from. */
export const explain = (request: LoadRequest): Promise<number> =>
  withLoaded(request, async (loaded) => {
    for (const text of explained(loaded)) out(text)
    return ExitCode.success
  })

/** Prints the JSON Schema of configs. */
export const schema = async (): Promise<number> => {
  out(JSON.stringify(jsonSchema(), null, 2))
  return ExitCode.success
}
