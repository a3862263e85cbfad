/** Keeps values out of all that is told of steps and runs: alerts, events, logs and spans. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { programForms } from "../text/secretForms.ts"
import { type Scrub, Secrets } from "../text/secrets.ts"
import type { Observer, RunEvent } from "./events.ts"
import type { Occurrence, OccurrenceRun } from "./occurrence.ts"
import type { Planned } from "./plan.ts"
import { scrubAlert } from "./scrubAlert.ts"
import { scrubCause, scrubRecord, scrubValue } from "./scrubValue.ts"
import type { Guard } from "./secrets.ts"
import { setSpanTracer, spanTracerOf } from "./spanTracers.ts"
import { isLogged, isTapped, LoggerKey, type Tap, TapKey } from "./tap.ts"

export { type Guard, provide } from "./secrets.ts"

/** Makes a guard. `onAdd` is called with each text that is added later. */
export const make = (values: Iterable<string> = [], onAdd?: (value: string) => void): Guard => {
  const secrets = new Secrets(values, programForms)
  const add = (added: Iterable<string>): void => {
    const texts = [...added]
    secrets.add(texts)
    if (onAdd !== undefined) texts.forEach(onAdd)
  }
  const { scrub } = secrets
  const cause = (cause: Cause.Cause<unknown>) => secrets.isEmpty ? cause : scrubCause(cause, scrub)
  const value = (value: unknown) => secrets.isEmpty ? value : scrubValue(value, scrub)
  const record = (values: Readonly<Record<string, unknown>>) => secrets.isEmpty ? values : scrubRecord(values, scrub)
  const exit = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
    if (exit._tag === "Success") return exit
    const scrubbed = cause(exit.cause)
    return scrubbed === exit.cause ? exit : Exit.failCause(scrubbed)
  }
  const parts: Parts = { isEmpty: () => secrets.isEmpty, size: () => secrets.size, scrub, value, record, cause, exit }
  const logging = guardedLoggers(parts)
  const tracing = guardedTracers(parts)
  const observing = guardedObservers(parts)
  return {
    add,
    addRedacted: (value) => add(redactedIn(value)),
    text: scrub,
    value,
    record,
    cause,
    alert: (alert) => secrets.isEmpty ? alert : scrubAlert(alert, scrub),
    observers: (observers) => observers.map(observing),
    spansAround: guardedOpen(parts),
    context: (context) => tracing(logging(context))
  }
}

interface Parts {
  readonly isEmpty: () => boolean
  /** How many values are kept out. */
  readonly size: () => number
  readonly scrub: Scrub
  readonly value: (value: unknown) => unknown
  readonly record: (values: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  readonly cause: (cause: Cause.Cause<unknown>) => Cause.Cause<unknown>
  readonly exit: (exit: Exit.Exit<unknown, unknown>) => Exit.Exit<unknown, unknown>
}

/** Deep enough for parameters. */
const maxDepth = 16

/** Returns the texts of all `Redacted` in a value. */
export const redactedIn = (value: unknown, inside = false, depth = 0): ReadonlyArray<string> => {
  if (depth > maxDepth) return []
  if (Redacted.isRedacted(value)) return redactedIn(Redacted.value(value), true, depth + 1)
  if (typeof value === "string") return inside ? [value] : []
  if (typeof value === "number" || typeof value === "bigint") return inside ? [String(value)] : []
  if (typeof value !== "object" || value === null) return []
  const parts = value instanceof Map
    ? [...value.entries()].flat()
    : value instanceof Set
    ? [...value]
    : Object.values(value)
  return parts.flatMap((part) => redactedIn(part, inside, depth + 1))
}

// -----------------------------------------------------------------------------
// logs
// -----------------------------------------------------------------------------

type Update = <R>(context: Context.Context<R>) => Context.Context<R>

type Loggers = ReadonlySet<Logger.Logger<unknown, unknown>>

const guardedLoggers = (parts: Parts): Update => {
  const guarded = new WeakMap<Loggers, Loggers>()
  const single = new WeakMap<Logger.Logger<unknown, unknown>, Logger.Logger<unknown, unknown>>()
  /** Returns the same for a logger and for its guarded one: a run in a run adds loggers that the outer one has added. */
  const guardedOnce = (logger: Logger.Logger<unknown, unknown>): Logger.Logger<unknown, unknown> => {
    const made = single.get(logger) ?? guardedLogger(logger, parts)
    single.set(logger, made)
    single.set(made, made)
    return made
  }
  return (context) => {
    const loggers: Loggers = Context.get(context, Logger.CurrentLoggers)
    let own = guarded.get(loggers)
    if (own === undefined) {
      own = new Set([...loggers].map(guardedOnce))
      guarded.set(loggers, own)
      guarded.set(own, own)
    }
    return own === loggers ? context : Context.add(context, Logger.CurrentLoggers, own)
  }
}

const guardedLogger = (
  logger: Logger.Logger<unknown, unknown>,
  parts: Parts
): Logger.Logger<unknown, unknown> =>
  Logger.make((options) => {
    if (parts.isEmpty()) return logger.log(options)
    const { cause, fiber, message } = options
    return logger.log({
      ...options,
      message: Array.isArray(message) ? message.map(parts.value) : parts.value(message),
      cause: parts.cause(cause),
      fiber: guardedFiber(fiber, parts)
    })
  })

/** A fiber as loggers read it: for its log annotations and log spans. */
const guardedFiber = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { record, scrub }: Parts
): Fiber.Fiber<unknown, unknown> => {
  const own = new Map<string, unknown>([
    [References.CurrentLogAnnotations.key, record(fiber.getRef(References.CurrentLogAnnotations))],
    [
      References.CurrentLogSpans.key,
      fiber.getRef(References.CurrentLogSpans).map(([label, at]): [string, number] => [scrub(label), at])
    ]
  ])
  const getRef = (ref: Context.Reference<unknown>): unknown => own.has(ref.key) ? own.get(ref.key) : fiber.getRef(ref)
  return Object.create(fiber, { getRef: { value: getRef } })
}

// -----------------------------------------------------------------------------
// spans
// -----------------------------------------------------------------------------

const guardedTracers = (parts: Parts): Update => {
  const guarded = new WeakMap<Tracer.Tracer, Tracer.Tracer>()
  return (context) => {
    // of the map, since the default tracer, which drops its spans, would slow down all that it is provided to
    const tracer = context.mapUnsafe.get(Tracer.Tracer.key) as Tracer.Tracer | undefined
    if (tracer === undefined || tracer === Tracer.nativeTracer) return context
    let own = guarded.get(tracer)
    if (own === undefined) {
      own = guardedTracer(tracer, parts)
      setSpanTracer(own, spanTracerOf(tracer))
      guarded.set(tracer, own)
      guarded.set(own, own)
    }
    return own === tracer ? context : Context.add(context, Tracer.Tracer, own)
  }
}

const linksOf = (links: ReadonlyArray<Tracer.SpanLink>, { record }: Parts): Array<Tracer.SpanLink> =>
  links.map((link) => ({ ...link, attributes: record(link.attributes) }))

const guardedTracer = (tracer: Tracer.Tracer, parts: Parts): Tracer.Tracer =>
  Tracer.make({
    span: (options) =>
      guardedSpan(
        tracer.span({ ...options, name: parts.scrub(options.name), links: linksOf(options.links, parts) }),
        parts
      ),
    context: tracer.context
  })

/** Replaces what has become secret since a span was opened. The interface of spans has no way to change a name. */
const scrubOpened = (span: Tracer.Span, { scrub, value }: Parts, attribute: Tracer.Span["attribute"]): void => {
  const name = scrub(span.name)
  if (name !== span.name) {
    Reflect.defineProperty(span, "name", { value: name, configurable: true, enumerable: true, writable: true })
  }
  for (const [key, given] of span.attributes) {
    const scrubbed = value(given)
    if (scrubbed !== given) attribute(key, scrubbed)
  }
}

/** Changes a span in place, since a tracer may recognize its own spans as parents. `known` secrets it was opened without. */
const guardedSpan = (span: Tracer.Span, parts: Parts, known = parts.size()): Tracer.Span => {
  const attribute = span.attribute.bind(span)
  const event = span.event.bind(span)
  const end = span.end.bind(span)
  const addLinks = span.addLinks.bind(span)
  return Object.assign(span, {
    attribute: (key: string, value: unknown) => attribute(parts.scrub(key), parts.value(value)),
    event: (name: string, at: bigint, attributes?: Record<string, unknown>) =>
      event(parts.scrub(name), at, attributes && { ...parts.record(attributes) }),
    end: (at: bigint, exit: Exit.Exit<unknown, unknown>) => {
      if (parts.size() !== known) scrubOpened(span, parts, attribute)
      end(at, parts.exit(exit))
    },
    addLinks: (links: ReadonlyArray<Tracer.SpanLink>) => addLinks(linksOf(links, parts))
  })
}

/** Guards the spans around a context, which were opened without a guard. */
const guardedOpen = (parts: Parts): (context: Context.Context<never>) => void => {
  const guarded = new WeakSet<Tracer.AnySpan>()
  return (context) => {
    let span = Context.getOrUndefined(context, Tracer.ParentSpan)
    while (span?._tag === "Span" && !guarded.has(span)) {
      guarded.add(guardedSpan(span, parts, 0))
      span = Option.getOrUndefined(span.parent)
    }
  }
}

// -----------------------------------------------------------------------------
// events
// -----------------------------------------------------------------------------

const guardedObservers = (parts: Parts): (observer: Observer) => Observer => {
  const guarded = new WeakMap<Observer, Observer>()
  return (observer) => {
    const known = guarded.get(observer)
    if (known !== undefined) return known
    const observe: Observer = (event) => observer(parts.isEmpty() ? event : eventOf(event, parts))
    if (isTapped(observer)) Object.assign(observe, { [TapKey]: guardedTap(observer[TapKey], parts) })
    // the engine adds it to loggers that are guarded then
    if (isLogged(observer)) Object.assign(observe, { [LoggerKey]: observer[LoggerKey] })
    guarded.set(observer, observe)
    return observe
  }
}

/** The texts of an event that are not the user's. */
const ownTexts: ReadonlySet<string> = new Set([
  "_tag",
  "deliveryId",
  "kind",
  "level",
  "logLevel",
  "outcome",
  "previous",
  "result",
  "runId",
  "severity"
])

/** Copies an event, whatever fields later versions add: each text in it is scrubbed. */
const eventOf = (event: RunEvent, parts: Parts): RunEvent => {
  const { cause, exit, record } = parts
  const copy = {
    ...scrubTexts(event, parts),
    ...("step" in event && event.step !== undefined ? { step: scrubTexts(event.step, parts) } : {}),
    ...("params" in event ? { params: record(event.params) } : {}),
    ...("annotations" in event ? { annotations: record(event.annotations) } : {}),
    ...("cause" in event ? { cause: cause(event.cause) } : {}),
    ...("exit" in event ? { exit: exit(event.exit) } : {})
  }
  // the cast: each field has the type that it had
  return copy as RunEvent
}

/** Copies an object, with the texts and the lists of texts in it scrubbed. */
const scrubTexts = <A extends object>(object: A, { scrub }: Parts): A => {
  const entries = Object.entries(object).map(([key, value]: [string, unknown]): [string, unknown] => {
    if (typeof value === "string") return [key, ownTexts.has(key) ? value : scrub(value)]
    if (!Array.isArray(value)) return [key, value]
    return [key, value.map((part: unknown) => typeof part === "string" ? scrub(part) : part)]
  })
  // the cast: each field has the type that it had
  return Object.fromEntries(entries) as A
}

const guardedTap = (tap: Tap, parts: Parts): Tap => {
  const occurrence = guardedOccurrences(parts)
  const planned = guardedHooks(parts)
  return {
    stepStarted: (one, at) => tap.stepStarted(occurrence(one), at),
    stepEnded: (one, at, exit, outcome, nanos) => tap.stepEnded(occurrence(one), at, parts.exit(exit), outcome, nanos),
    hookEnded: (one, at, hook, nanos) => tap.hookEnded(occurrence(one), at, planned(hook), nanos)
  }
}

/** Returns an object that inherits from another, and has some properties of its own. */
const withOwn = <A extends object>(object: A, own: Partial<A>): A =>
  Object.create(object, Object.getOwnPropertyDescriptors(own))

/** Runs and hooks are kept, since taps keep texts for each of them. */
const guardedOccurrences = (parts: Parts): (occurrence: Occurrence) => Occurrence => {
  const { record, scrub } = parts
  const ownerOf = (owner: Occurrence["owner"]): Occurrence["owner"] => {
    const { key, name } = scrubTexts({ name: owner.name, key: owner.label === "Step" ? owner.key : undefined }, parts)
    return owner.label === "Pipeline" ? { ...owner, name } : { ...owner, name, key }
  }
  const runs = new WeakMap<OccurrenceRun, OccurrenceRun>()
  const runOf = (run: OccurrenceRun): OccurrenceRun => {
    const name = scrub(run.name)
    const pipelineName = scrub(run.pipelineName)
    const known = runs.get(run)
    // a secret may have been added since
    if (known?.name === name && known.pipelineName === pipelineName) return known
    const made = withOwn(run, { name, pipelineName })
    runs.set(run, made)
    return made
  }
  return (occurrence) => {
    if (parts.isEmpty()) return occurrence
    const { annotations, info, label, labels, owner, params, path, run } = occurrence
    const texts = scrubTexts({ label, labels, path }, parts)
    return withOwn(occurrence, {
      ...texts,
      owner: ownerOf(owner),
      run: runOf(run),
      info: info && scrubTexts(info, parts),
      params: record(params),
      annotations: record(annotations)
    })
  }
}

const guardedHooks = ({ scrub }: Parts): (planned: Planned) => Planned => {
  const hooks = new WeakMap<Planned, Planned>()
  return (planned) => {
    const { hook } = planned
    const name = scrub(hook.name)
    if (name === hook.name) return planned
    const known = hooks.get(planned)
    if (known?.hook.name === name) return known
    const made = { ...planned, hook: withOwn(hook, { name }) }
    hooks.set(planned, made)
    return made
  }
}
