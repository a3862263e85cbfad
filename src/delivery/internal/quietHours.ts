import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { atLeast } from "../../internal/model/severity.ts"
import type { QuietHoursOptions } from "../quietHours.ts"
import * as Held from "./hold/held.ts"
import { endOf, weekdays } from "./hold/hours.ts"
import type { Post } from "./policy.ts"
import type { Persisted } from "./state/state.ts"

/** When what could not be posted after the hours is tried again. */
const again = 10 * 60_000

/** @internal */
export const make = <P extends string | undefined>(
  post: Post,
  options: QuietHoursOptions<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const zone = options.timeZone ?? DateTime.zoneMakeLocal()
    const end = endOf({ from: options.from, to: options.to, timeZone: zone, days: options.days ?? weekdays })
    const isUrgent = atLeast(options.except ?? "critical")
    const hold = yield* Held.make<P>(post, {
      policy: "quietHours",
      persist: options.persist,
      due: (now) => end(now) ?? now + again,
      opens: (now) => end(now) ?? now,
      max: Infinity,
      when: () => " in quiet hours",
      zone
    })
    return (alert) =>
      isUrgent(alert)
        ? post(alert)
        : Effect.flatMap(Clock.currentTimeMillis, (now) => end(now) === undefined ? post(alert) : hold(alert))
  })
