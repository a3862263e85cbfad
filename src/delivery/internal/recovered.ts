import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Alert } from "../../Alert.ts"
import { heldBack } from "../../internal/alerts/metrics.ts"
import type { RecoveredOptions } from "../recovered.ts"
import { iso, locks, Millis, remember, timeOf, withFields } from "./entries.ts"
import { isFailure, type Post, subject } from "./policy.ts"
import * as State from "./state/state.ts"

const Outage = Schema.Struct({ failures: Schema.Natural, since: Millis })
type Outage = (typeof Outage)["Type"]

/** @internal */
export const make = <P extends string | undefined>(
  inner: Post,
  { persist, successes = "post" }: RecoveredOptions<P>
): Effect.Effect<Post, never, State.Persisted<P>> =>
  Effect.map(State.make("recovered", persist, Outage), (state) => {
    const oneAtATime = locks()

    const failed = (post: Post, alert: Alert, key: string, at: number) =>
      Effect.andThen(
        post(alert),
        state.modify((outages) => {
          const before = outages.get(key) ?? { failures: 0, since: at }
          remember(outages, key, { ...before, failures: before.failures + 1 })
        })
      )

    const succeeded = (post: Post, alert: Alert, key: string, at: number) =>
      Effect.gen(function*() {
        const outage = yield* state.modify((outages) => outages.get(key))
        if (outage !== undefined) {
          yield* post(recovery(alert, outage, at))
          yield* state.modify((outages) => outages.delete(key))
        } else if (successes === "post") {
          yield* post(alert)
        } else {
          yield* heldBack("recovered")
        }
      })

    return (alert) => {
      const failure = isFailure(alert)
      if (!failure && alert.severity !== "success") return inner(alert)
      const key = subject(alert)
      return Effect.flatMap(timeOf(alert), (at) =>
        // Uninterruptible where it remembers, or what has been delivered might be forgotten.
        oneAtATime(key)(Effect.uninterruptibleMask((restore) => {
          const post: Post = (alert) => restore(Effect.suspend(() => inner(alert)))
          return failure ? failed(post, alert, key, at) : succeeded(post, alert, key, at)
        })))
    }
  })

const recovery = (alert: Alert, { failures, since }: Outage, at: number): Alert => {
  const about = nameOf(alert)
  const title = about === undefined ? `Recovered: ${alert.title}` : `${about} recovered`
  // A title of the user's own says more than that it succeeded.
  const said = about === undefined || alert.title === `${about} succeeded` ? [] : [alert.title]
  const body = [...said, ...(alert.body === undefined ? [] : [alert.body])].join("\n")
  return withFields(
    alert.with({ title, body: body === "" ? undefined : body, tags: [...alert.tags, "recovered"] }),
    {
      failures: String(failures),
      "failing since": iso(since),
      for: Duration.format(Duration.millis(Math.max(0, at - since)))
    }
  )
}

/** The step or run, as the standard hooks call it. */
const nameOf = ({ source }: Alert): string | undefined => {
  if (source === undefined) return undefined
  const { pipeline, stepPath } = source
  return (stepPath[0] === pipeline ? stepPath : [pipeline, ...stepPath]).join(" › ")
}
