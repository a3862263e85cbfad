/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alert } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { heldBack } from "../internal/alerts/metrics.ts"
import { formatDuration } from "../internal/text/duration.ts"
import { iso, locks, Millis, remember, timeOf, withFields } from "./internal/entries.ts"
import { around, isFailure, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface RecoveredOptions<P extends string | undefined = undefined> {
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
  /** What becomes of successes that no alerted failure came before: `"post"` unless set. */
  readonly successes?: "post" | "drop" | undefined
}

/**
 * Posts the first success after alerted failures of the same step (or with the same
 * `dedupeKey`, or title) as a recovery: its title says `recovered`, it is tagged so
 * too, and fields say how many failures there were, since when, and for how long.
 * Once: it is forgotten when the recovery has been delivered.
 *
 * A failure (a `warning`, or worse) counts if it was delivered.
 *
 * Pipe `throttle` and `afterConsecutive` after `recovered`: asked later, nearer to the
 * channel, they might drop what `recovered` takes for delivered. Pipe `digest` and
 * `quietHours` before it, since what they make of several alerts names no step. A
 * `minSeverity` above `success` drops recoveries too, wherever it stands: what is
 * meant is `successes: "drop"`.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive, recovered } from "effect-epilogue/delivery"
 *
 * // both hooks, since a recovery is a success
 * const hooks = AlerterHooks.all
 *
 * // a script that runs each night tells of failures, and of the night when all is well again
 * const alerter = Slack.layerConfig().pipe(
 *   recovered({ successes: "drop", persist: "nightly-etl" }),
 *   afterConsecutive(2, { persist: "nightly-etl" })
 * )
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const recovered: {
  <P extends string | undefined = undefined>(
    options?: RecoveredOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options?: RecoveredOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: RecoveredOptions<P> = {}
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, options))(self)
)

const Outage = Schema.Struct({ failures: Schema.Natural, since: Millis })
type Outage = (typeof Outage)["Type"]

const make = <P extends string | undefined>(
  inner: Post,
  { persist, successes = "post" }: RecoveredOptions<P>
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("recovered", persist, Outage), (state) => {
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
      for: formatDuration(Math.max(0, at - since))
    }
  )
}

/** The step or run, as the standard hooks call it. */
const nameOf = ({ source }: Alert): string | undefined => {
  if (source === undefined) return undefined
  const { pipeline, stepPath } = source
  return (stepPath[0] === pipeline ? stepPath : [pipeline, ...stepPath]).join(" › ")
}
