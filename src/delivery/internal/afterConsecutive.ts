import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { heldBack } from "../../internal/alerts/metrics.ts"
import { iso, Millis, remember, timeOf, withFields } from "./entries.ts"
import { countOf } from "./options.ts"
import { isFailure, type Post, subject } from "./policy.ts"
import * as State from "./state/state.ts"

const Streak = Schema.Struct({ count: Schema.Natural, since: Millis })

/** @internal */
export const make = <P extends string | undefined>(
  inner: Post,
  n: number,
  persist: P
): Effect.Effect<Post, never, State.Persisted<P>> =>
  Effect.map(State.make("afterConsecutive", persist, Streak), (state) => {
    countOf("afterConsecutive", "n", n)
    return (alert) =>
      Effect.gen(function*() {
        const key = subject(alert)
        if (!isFailure(alert)) {
          if (alert.severity === "success") yield* state.modify((streaks) => streaks.delete(key))
          return yield* inner(alert)
        }
        const at = yield* timeOf(alert)
        const { count, since } = yield* state.modify((streaks) => {
          const before = streaks.get(key) ?? { count: 0, since: at }
          const streak = { ...before, count: before.count + 1 }
          remember(streaks, key, streak)
          return streak
        })
        if (count < n) return yield* heldBack("afterConsecutive")
        yield* inner(count === 1 ? alert : withFields(alert, { "in a row": `${count} failures since ${iso(since)}` }))
      })
  })
