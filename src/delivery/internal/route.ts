import * as Effect from "effect/Effect"
import type { Alert } from "../../Alert.ts"
import { atLeast } from "../../internal/model/severity.ts"
import type { Criteria } from "../route.ts"
import { ask } from "./entries.ts"
import type { Post } from "./policy.ts"

/** @internal */
export type Predicate = (alert: Alert) => boolean

/** @internal */
export const predicate = (when: Criteria | Predicate): Predicate => {
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
export const firstMatch = (routes: ReadonlyArray<readonly [Predicate, Post]>, otherwise: Post): Post => (alert) =>
  Effect.gen(function*() {
    for (const [when, to] of routes) if (yield* ask("route", when, alert, false)) return yield* to(alert)
    return yield* otherwise(alert)
  })
