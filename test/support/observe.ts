/** What tests look at: calls, logs, events. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Hook, RunEvent } from "../../src/index.ts"

export interface Calls {
  readonly list: Array<string>
  /** Notes the call when it is run. */
  readonly note: (call: string) => Effect.Effect<void>
}

export const calls = (): Calls => {
  const list: Array<string> = []
  return { list, note: (call) => Effect.sync(() => void list.push(call)) }
}

/** A hook that notes that it was called. */
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
    case "success":
      return Hook.named(Hook.onSuccess(() => effect), name)
    case "failure":
      return Hook.named(Hook.onFailure(() => effect), name)
    case "interrupt":
      return Hook.named(Hook.onInterrupt(() => effect), name)
    case "exit":
      return Hook.named(Hook.onExit(() => effect), name)
  }
}

export const kinds: ReadonlyArray<Hook.Kind> = ["start", "retry", "success", "failure", "interrupt", "exit"]

export interface Entry {
  readonly level: string
  readonly message: string
  readonly cause: Cause.Cause<unknown>
  readonly annotations: Readonly<Record<string, unknown>>
}

export const logs = (): { readonly list: Array<Entry>; readonly layer: Layer.Layer<never> } => {
  const list: Array<Entry> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
    const text = Array.isArray(message) ? message.map(String).join(" ") : String(message)
    list.push({ level: logLevel, message: text, cause, annotations: fiber.getRef(References.CurrentLogAnnotations) })
  })
  return { list, layer: Logger.layer([logger]) }
}

export const events = (): { readonly list: Array<RunEvent.RunEvent>; readonly layer: Layer.Layer<never> } => {
  const list: Array<RunEvent.RunEvent> = []
  return { list, layer: RunEvent.layer((event) => void list.push(event)) }
}

/** An event in short, as in `StepEnded load failure`. */
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
    case "StepProgress":
      return `StepProgress ${event.stepName} ${event.done}`
    default:
      return `${event._tag} ${event.hook}`
  }
}

/** An exit as data that `deepEqual` can compare: interrupts without the ids of fibers, which are new each time. */
export const plain = (exit: Exit.Exit<unknown, unknown>): unknown =>
  exit._tag === "Success" ?
    { success: exit.value } :
    exit.cause.reasons.map((reason) =>
      reason._tag === "Fail" ? { fail: reason.error } : reason._tag === "Die" ? { die: reason.defect } : "interrupt"
    )
