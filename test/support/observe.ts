/** Records calls, logs and run events for tests to inspect. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Hook, Hooks, RunEvent } from "../../src/index.ts"

export interface Calls {
  readonly list: Array<string>
  /** Returns an Effect that appends a call to the list. */
  readonly note: (call: string) => Effect.Effect<void>
}

export const calls = (): Calls => {
  const list: Array<string> = []
  return { list, note: (call) => Effect.sync(() => void list.push(call)) }
}

/** Makes a hook of any kind that records its name in `calls` and then runs `and`. */
export const noting = (
  { note }: Calls,
  kind: Hook.Kind,
  name: string,
  and: Effect.Effect<unknown, unknown> = Effect.void
): Hook.Hook<unknown, unknown, never> => {
  const effect = Effect.andThen(note(name), and)
  switch (kind) {
    case "start":
      return Hook.named(Hook.onStart(effect), name)
    case "retry":
      return Hook.named(Hook.onRetry(() => effect), name)
    case "overdue":
      return Hook.named(Hook.onOverdue(() => effect), name)
    case "success":
      return Hook.named(Hook.onSuccess(() => effect), name)
    case "failure":
      return Hook.named(Hook.onFailure(() => effect), name)
    case "interrupt":
      return Hook.named(Hook.onInterrupt(() => effect), name)
    case "skip":
      return Hook.named(Hook.onSkip(() => effect), name)
    case "exit":
      return Hook.named(Hook.onExit(() => effect), name)
    case "rollback":
      return Hook.named(Hook.onRollback(() => effect), name)
  }
}

/** The kinds of hook that a step and a run can have. A run has no rollback hooks. */
export const kinds: ReadonlyArray<Hook.Kind> = [
  "start",
  "retry",
  "overdue",
  "success",
  "failure",
  "interrupt",
  "skip",
  "exit"
]

export interface Entry {
  readonly level: string
  readonly message: string
  readonly cause: Cause.Cause<unknown>
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Makes a logger layer that records every log entry and prints nothing. */
export const logs = (): { readonly list: Array<Entry>; readonly layer: Layer.Layer<never> } => {
  const list: Array<Entry> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
    const text = Array.isArray(message) ? message.map(String).join(" ") : String(message)
    list.push({ level: logLevel, message: text, cause, annotations: fiber.getRef(References.CurrentLogAnnotations) })
  })
  return { list, layer: Logger.layer([logger]) }
}

/** Makes an observer layer that records every run event. */
export const events = (): { readonly list: Array<RunEvent.RunEvent>; readonly layer: Layer.Layer<never> } => {
  const list: Array<RunEvent.RunEvent> = []
  return { list, layer: RunEvent.layer((event) => void list.push(event)) }
}

/** Formats an event as its tag, its subject and its outcome, as in `StepEnded load failure`. */
export const brief = (event: RunEvent.RunEvent): string => {
  switch (event._tag) {
    case "RunStarted":
      return `RunStarted ${event.pipelineName}`
    case "RunEnded":
      return `RunEnded ${event.pipelineName} ${event.outcome}`
    case "StepStarted":
      return `StepStarted ${event.stepName}`
    case "AttemptFailed":
      return `AttemptFailed ${event.stepName} ${event.attempt}`
    case "StepEnded":
      return `StepEnded ${event.stepName} ${event.outcome}`
    case "StepSkipped":
      return `StepSkipped ${event.stepName}${event.reason === undefined ? "" : `: ${event.reason}`}`
    case "StepOverdue":
      return `StepOverdue ${event.stepName} ${event.times}`
    case "RunOverdue":
      return `RunOverdue ${event.pipelineName} ${event.times}`
    case "StepLogged":
      return `StepLogged ${event.stepName} ${event.logLevel} ${event.message}`
    case "RunLogged":
      return `RunLogged ${event.pipelineName} ${event.logLevel} ${event.message}`
    case "StepProgress":
      return `StepProgress ${event.stepName} ${event.done}`
    case "AlertPosted":
      return `AlertPosted ${event.title} ${event.result} by ${event.by}`
    default:
      return `${event._tag} ${event.hook}`
  }
}

/** Turns an exit into data for `deepEqual`, without the ids of interrupting fibers, which differ from run to run. */
export const plain = (exit: Exit.Exit<unknown, unknown>): unknown =>
  exit._tag === "Success" ?
    { success: exit.value } :
    exit.cause.reasons.map((reason) =>
      reason._tag === "Fail" ? { fail: reason.error } : reason._tag === "Die" ? { die: reason.defect } : "interrupt"
    )

/** Makes hooks, one of each kind, each of which notes its kind. */
export const noteAll = (seen: ReturnType<typeof calls>) => Hooks.make(...kinds.map((kind) => noting(seen, kind, kind)))
