/**
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { atLeast } from "../internal/model/severity.ts"
import { ask } from "./internal/entries.ts"
import type { Post } from "./internal/policy.ts"
import { combine } from "./internal/several.ts"

/**
 * What an alert must be for a route to be its own: all that is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Criteria {
  /** Exactly this severe, or as one of these. */
  readonly severity?: Severity | ReadonlyArray<Severity> | undefined
  /** At least this severe. */
  readonly atLeast?: Severity | undefined
  /** With this tag, or with any of these. The standard failure hook sets the tags of the errors. */
  readonly tag?: string | ReadonlyArray<string> | undefined
  /** From the pipeline of this name. */
  readonly pipeline?: string | undefined
  /** From the step of this name, or from one within it. */
  readonly step?: string | undefined
}

/**
 * Where some alerts go.
 *
 * @category models
 * @since 0.1.0
 */
export interface Route {
  /** Criteria, or a function that says whether an alert goes here. One that throws says no, and a warning is logged. */
  readonly when: Criteria | ((alert: Alert) => boolean)
  readonly to: Layer.Layer<Alerter, unknown, unknown>
}

/**
 * Posts each alert to the first route whose `when` holds, or else to `otherwise`. To
 * drop what no route is meant for, say so with `Alerter.layerNone`.
 *
 * A layer that is used in several routes is built once.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { route } from "effect-epilogue/delivery"
 * import { Config } from "effect"
 *
 * const ofTeam = (name: string) => Slack.layerConfig({ webhookUrl: Config.Redacted(name) })
 *
 * const alerter = route([
 *   { when: { atLeast: "error", pipeline: "billing" }, to: ofTeam("BILLING_SLACK") },
 *   { when: { tag: ["DiskFull", "OutOfMemory"] }, to: ofTeam("OPS_SLACK") },
 *   { when: (alert) => alert.title.startsWith("test"), to: Alerter.layerNone }
 * ], { otherwise: Alerter.layerConsole })
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const route = <const Routes extends ReadonlyArray<Route>, E, R>(
  routes: Routes,
  options: { readonly otherwise: Layer.Layer<Alerter, E, R> }
): Layer.Layer<Alerter, E | Layer.Error<Routes[number]["to"]>, R | Layer.Services<Routes[number]["to"]>> => {
  const layers: ReadonlyArray<Routes[number]["to"]> = routes.map(({ to }) => to)
  return combine([options.otherwise, ...layers], ([otherwise, ...posts]) => {
    const predicates = routes.map(({ when }) => predicate(when))
    return firstMatch(Arr.zip(predicates, posts), otherwise)
  })
}

type Predicate = (alert: Alert) => boolean

const predicate = (when: Criteria | Predicate): Predicate => {
  if (typeof when === "function") return when
  const { pipeline, severity, step, tag } = when
  const severe = when.atLeast === undefined ? undefined : atLeast(when.atLeast)
  return (alert) =>
    (severity === undefined || list(severity).includes(alert.severity)) &&
    (severe === undefined || severe(alert)) &&
    (tag === undefined || list(tag).some((tag) => alert.tags.includes(tag))) &&
    (pipeline === undefined || alert.source?.pipeline === pipeline) &&
    (step === undefined || alert.source?.stepPath.includes(step) === true)
}

const list = <A extends string>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => typeof one === "string" ? [one] : one

/** Each predicate with where it leads to, and where all else goes. */
const firstMatch = (routes: ReadonlyArray<readonly [Predicate, Post]>, otherwise: Post): Post => (alert) =>
  Effect.gen(function*() {
    for (const [when, to] of routes) if (yield* ask("route", when, alert, false)) return yield* to(alert)
    return yield* otherwise(alert)
  })
