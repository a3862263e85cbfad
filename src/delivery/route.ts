/**
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { droppedByAll } from "../internal/alerts/metrics.ts"
import { severityMistakes } from "../internal/alerts/severities.ts"
import { checked, type Known, optionalText, text } from "../internal/model/options.ts"
import { atLeast } from "../internal/model/severity.ts"
import { callSafely } from "./internal/entries.ts"
import { atPlace, membersOf, quietly } from "./internal/places.ts"
import { isResolving, type Post } from "./internal/policy.ts"
import { combine, oneOf, postAll } from "./internal/several.ts"

/**
 * Conditions on an alert. All that are set must hold.
 *
 * @category models
 * @since 0.1.0
 */
export interface Criteria {
  /** The severity of the alert, or a list that contains it. */
  readonly severity?: Severity | ReadonlyArray<Severity> | undefined
  /** The lowest severity of the alert. */
  readonly atLeast?: Severity | undefined
  /** A tag of the alert, or a list that contains one of its tags. The standard failure hook sets the tags of errors. */
  readonly tag?: string | ReadonlyArray<string> | undefined
  /** The name of the pipeline that the alert comes from. */
  readonly pipeline?: string | undefined
  /** The name of the step that the alert comes from, or of a step around that. */
  readonly step?: string | undefined
}

/**
 * An alerter for some of the alerts of {@link route}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Route {
  /**
   * The alerts of this route, as criteria or as a predicate. If the predicate throws, a warning is logged and it counts
   * as `false`.
   */
  readonly when: Criteria | ((alert: Alert) => boolean)
  /** The alerter that gets them. */
  readonly to: Layer.Layer<Alerter, unknown, unknown>
}

/**
 * Posts each alert to the first route whose `when` holds, or to `otherwise`.
 *
 * **When to use**
 *
 * For different audiences: the alerts of each team in a chat of its own, critical ones with whoever is on call.
 *
 * **Details**
 *
 * A layer that is used in several routes is built once. If the delivery of a route fails, the post fails; no other
 * route is tried. To drop alerts that match no route, set `otherwise` to `Alerter.layerNone`.
 *
 * A recovery, as `recovered` makes it, goes where its failures went, whatever the rules looked at. An alert that combines
 * others goes to the routes of all of them. Any other success goes to its own route; that something is well again is said
 * to the channels of the others, too, without being shown: PagerDuty resolves the incident.
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
 * @see {@link fanOut} for posting each alert to several alerters
 *
 * @category policies
 * @since 0.1.0
 */
export const route = <const Routes extends ReadonlyArray<Route>, E, R>(
  routes: Routes,
  options: { readonly otherwise: Layer.Layer<Alerter, E, R> }
): Layer.Layer<Alerter, E | Layer.Error<Routes[number]["to"]>, R | Layer.Services<Routes[number]["to"]>> => {
  const layers: ReadonlyArray<Routes[number]["to"]> = routes.map(({ to }) => to)
  return combine("route", [options.otherwise, ...layers], ([otherwise, ...posts]) => {
    const predicates = routes.map(({ when }) => predicate(when))
    return Effect.succeed(firstMatch(Arr.zip(predicates, posts), otherwise))
  })
}

type Predicate = (alert: Alert) => boolean

const criteria: Known<Criteria> = {
  severity: severityMistakes,
  atLeast: 0,
  tag: (what, value) => [value ?? []].flat().flatMap((one) => text(what, one)),
  pipeline: optionalText,
  step: optionalText
}

const predicate = (when: Criteria | Predicate): Predicate => {
  if (typeof when === "function") return when
  // a misspelt criterion would be none, and the route would get all alerts
  const { pipeline, severity, step, tag } = checked("route", when, criteria, "its when")
  const severe = when.atLeast === undefined ? undefined : atLeast(when.atLeast)
  return (alert) =>
    (severity === undefined || list(severity).includes(alert.severity)) &&
    (severe === undefined || severe(alert)) &&
    (tag === undefined || list(tag).some((tag) => alert.tags.includes(tag))) &&
    (pipeline === undefined || alert.source?.pipeline === pipeline) &&
    (step === undefined || alert.source?.stepPath.includes(step) === true)
}

const list = <A extends string>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => typeof one === "string" ? [one] : one

/**
 * Posts to the alerter of the first predicate that holds, or to `otherwise`. A recovery is posted to the alerters of the
 * failures that it is about, a combined alert to those of all its parts. An alert that resolves failures is posted to
 * all others, too, as a quiet one: an earlier failure may have been sent to any of them.
 */
const firstMatch = (routes: ReadonlyArray<readonly [Predicate, Post]>, otherwise: Post): Post => {
  const posts = [...new Set([...routes.map(([, to]) => to), otherwise])]
  const names = new Map(posts.map((post, i) => [post, `${i}`]))
  const members = new Map(posts.map((post, i) => [`${i}`, atPlace(`${i}`, post)]))
  const find = (alert: Alert): Effect.Effect<string> =>
    Effect.gen(function*() {
      for (const [when, to] of routes) if (yield* callSafely("route", when, alert, false)) return names.get(to)!
      return names.get(otherwise)!
    })
  /** Returns the names of the alerters that show an alert. */
  const targets = (alert: Alert): Effect.Effect<ReadonlyArray<string>> => {
    const about = alert.combines.length > 0 ? alert.combines : alert.recovers
    if (about.length === 0) {
      const before = membersOf(alert)
      return before === undefined ? Effect.map(find(alert), Arr.of) : Effect.succeed(before)
    }
    return Effect.map(Effect.forEach(about, targets), Arr.flatten)
  }
  return (alert) =>
    Effect.gen(function*() {
      const loud = new Set(alert.quiet ? [] : yield* targets(alert))
      const hears = isResolving(alert) ? [...members.keys()] : [...loud]
      const outcomes = yield* postAll(
        "route",
        alert,
        hears.map((name) => members.get(name)?.(loud.has(name) ? alert : quietly(alert)) ?? Effect.succeed(true))
      )
      const errors = outcomes.filter((outcome) => typeof outcome !== "boolean")
      if (errors.length > 0) return yield* Effect.fail(oneOf("route", errors))
      const shown = outcomes.filter((_, i) => loud.has(hears[i]!))
      yield* droppedByAll(shown.filter((outcome) => typeof outcome === "boolean"))
    })
}
