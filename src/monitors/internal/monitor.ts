/** Makes monitors of the descriptions of services. */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isHttp } from "../../alerters/internal/channel/isHttp.ts"
import { sending } from "../../alerters/internal/channel/sending.ts"
import { type Target, targetOf } from "../../alerters/internal/webhook/request.ts"
import { paceMistakes } from "../../internal/alerts/mailbox/pace.ts"
import { limitMillis } from "../../internal/model/limit.ts"
import { MonitorObservers } from "../../internal/model/observers.ts"
import { texts, unknownNames } from "../../internal/model/options.ts"
import { MonitorError, type MonitorMistake } from "../MonitorError.ts"
import type { LogOptions, MonitorOptions } from "../MonitorOptions.ts"
import type { Made, Monitor, Service } from "./model.ts"
import * as Sender from "./sender.ts"
import * as Watch from "./watch.ts"

/** Finds the mistakes in the options that all monitors have. */
const commonMistakes = (options: MonitorOptions & LogOptions): ReadonlyArray<MonitorMistake> => {
  const { capacity, every, interrupt, logs, pace, pipeline, retries } = options
  const mistakes: Array<MonitorMistake> = []
  const everyMillis = every === undefined ? undefined : limitMillis(every) ?? 0
  if (everyMillis !== undefined && !(everyMillis > 0 && everyMillis < Infinity)) {
    mistakes.push({ option: "every", expected: "a finite duration above 0" })
  }
  for (const option of ["timeout", "delay", "maxDelay", "drain"] as const) {
    const given = options[option]
    if (given !== undefined && limitMillis(given) === undefined) {
      mistakes.push({ option, expected: "a duration that is not negative" })
    }
  }
  const isWhole = (n: number, least: number) => Number.isInteger(n) && n >= least
  if (capacity !== undefined && !isWhole(capacity, 1)) {
    mistakes.push({ option: "capacity", expected: "a whole number of at least 1" })
  }
  if (retries !== undefined && retries !== Infinity && !isWhole(retries, 0)) {
    mistakes.push({ option: "retries", expected: "a whole number of at least 0, or Infinity" })
  }
  if (paceMistakes("pace", pace).length > 0) {
    mistakes.push({ option: "pace", expected: "limits with a count of at least 1 in a finite duration" })
  }
  if (logs !== undefined && !isWhole(logs, 0)) {
    mistakes.push({ option: "logs", expected: "a whole number of at least 0" })
  }
  if (pipeline !== undefined && texts("pipeline", pipeline).length > 0) {
    mistakes.push({ option: "pipeline", expected: "the name of a pipeline, or at least one" })
  }
  // a word that does not exist would keep the end of the run from the monitor
  if (interrupt !== undefined && !["failure", "success", "none"].includes(interrupt)) {
    mistakes.push({ option: "interrupt", expected: "\"failure\", \"success\" or \"none\"" })
  }
  return mistakes
}

/** The options that all monitors have. */
const common: Readonly<Record<keyof MonitorOptions, unknown>> = {
  ...sending,
  pipeline: 0,
  when: 0,
  every: 0,
  interrupt: 0
}

/** Finds the options that the monitor does not have. */
const unknownOptions = (options: object, known: Readonly<Record<string, unknown>>): ReadonlyArray<MonitorMistake> =>
  unknownNames(options, known).map((option) => ({
    option,
    expected: `one of the options ${Object.keys(known).join(", ")}`
  }))

/** Makes a monitor. `mistakes` are those in the options of its own; `service` is called where there are none. */
export const make = <Options extends MonitorOptions & LogOptions>(
  name: string,
  options: Options,
  own: Readonly<Record<Exclude<keyof Options, keyof MonitorOptions>, 0>>,
  mistakes: ReadonlyArray<MonitorMistake>,
  service: () => Omit<Service, "name">
): Made => {
  const all = [...unknownOptions(options, { ...own, ...common }), ...mistakes, ...commonMistakes(options)]
  if (Arr.isReadonlyArrayNonEmpty(all)) return Result.fail(new MonitorError({ monitor: name, mistakes: all }))
  const { every, pipeline } = options
  return Result.succeed({
    service: { name, ...service() },
    options,
    pipelines: pipeline === undefined ? undefined : [pipeline].flat(),
    everyMillis: every === undefined ? undefined : limitMillis(every)
  })
}

/** Finds the mistake in a secret, which is a plain text, or missing, where types are not checked. */
export const secretMistakes = (
  option: string,
  secret: unknown,
  isRight: (text: string) => boolean,
  expected: string
): ReadonlyArray<MonitorMistake> =>
  !Redacted.isRedacted(secret)
    ? [{ option, expected: `a Redacted with ${expected}` }]
    : textMistakes(option, Redacted.value(secret), isRight, expected)

/** Finds the mistake in a text. */
export const textMistakes = (
  option: string,
  text: unknown,
  isRight: (text: string) => boolean,
  expected: string
): ReadonlyArray<MonitorMistake> => typeof text === "string" && isRight(text) ? [] : [{ option, expected }]

/** The mistakes in an address that is secret, as a list. */
export const addressMistakes = (option: string, url: Redacted.Redacted<string>): ReadonlyArray<MonitorMistake> =>
  secretMistakes(option, url, isHttp, "an address that begins with https:// or http://")

/** Returns where to send pings for an address without mistakes. A user and a password in it become a header. */
export const target = (url: Redacted.Redacted<string>): Target => targetOf(Redacted.value(url))!

/** Appends to the path of an address, and sets parameters of its query. Those that it has stay. */
export const extended = (
  address: string,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {}
): string => {
  const url = new URL(address)
  if (path !== "") url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

/** Tells a monitor of the runs inside of the layer. */
export const layer = (made: Made): Layer.Layer<never, MonitorError> =>
  // fresh, since a memoized layer would bring back the observers of the place where it was built first
  Layer.fresh(Layer.effectContext(Effect.gen(function*() {
    const monitor = yield* Effect.fromResult(made)
    const sender = yield* Sender.make(monitor)
    return yield* observing(monitor, sender)
  })))

/** Watches the runs for which these observers are provided. */
export const observing = (monitor: Monitor, sender: Sender.Sender) =>
  Effect.map(
    Effect.zip(Watch.make(monitor, sender.send), MonitorObservers),
    ([observer, present]) => Context.make(MonitorObservers, [...present, observer])
  )
