import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { atLeast } from "../../internal/model/severity.ts"
import type { DigestOptions } from "../digest.ts"
import { span } from "./hold/digest.ts"
import * as Held from "./hold/held.ts"
import { countOf, millisOf } from "./options.ts"
import type { Post } from "./policy.ts"
import type { Persisted } from "./state/state.ts"

/** @internal */
export const make = <P extends string | undefined>(
  post: Post,
  options: DigestOptions<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const window = millisOf("digest", "window", options.window)
    const isUrgent = atLeast(options.immediate ?? "critical")
    const hold = yield* Held.make<P>(post, {
      policy: "digest",
      persist: options.persist,
      due: (now, open) => Math.min(open() ?? Infinity, now + window),
      opens: (now) => now,
      max: countOf("digest", "max", options.max ?? 100),
      when: (since, now) => {
        const time = span(now - since)
        return time === "" ? "" : ` in ${time}`
      },
      zone: options.timeZone ?? DateTime.zoneMakeLocal()
    })
    return (alert) => isUrgent(alert) ? post(alert) : hold(alert)
  })
