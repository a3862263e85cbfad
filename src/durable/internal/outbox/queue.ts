/** Alerts in a queue, on their way. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Latch from "effect/Latch"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { type Alerter, AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { timed } from "../../../internal/alerts/alerter.ts"
import { AlertJson, fromJson, toJson } from "../../../internal/alerts/json.ts"
import type { Options } from "../../Outbox.ts"
import { type Outbox, OutboxTypeId } from "./typeId.ts"

const channel = "outbox"

/** Databases take ids of 255 characters. A key of more than that is known by its hash. */
const idOf = ({ idempotencyKey: key }: Alert): Effect.Effect<string> =>
  key === undefined || key === ""
    ? Effect.sync(() => globalThis.crypto.randomUUID())
    : key.length <= 255
    ? Effect.succeed(key)
    : Effect.map(
      Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))),
      (hash) => Hex.encode(new Uint8Array(hash))
    )

/** @internal */
export const make = (
  inner: Alerter["Service"],
  options: Options
): Effect.Effect<Alerter["Service"], never, PersistedQueue.PersistedQueueFactory | Scope.Scope> =>
  Effect.gen(function*() {
    const maxAttempts = options.maxAttempts ?? 1000
    const queue = yield* PersistedQueue.make({
      name: options.name ?? "effect-epilogue/alerts",
      schema: AlertJson,
      maxAttempts,
      retrySchedule: options.retry
    })
    /** What this process stored and nobody here has delivered. */
    const pending = new Set<string>()
    const empty = Latch.makeUnsafe(true)

    const offer = (alert: Alert): Effect.Effect<unknown, unknown> =>
      Effect.flatMap(idOf(alert), (id) => {
        const stored = queue.offer(toJson(alert), { id })
        if (options.deliver === false) return stored
        // before it is there, since it may be delivered at once
        pending.add(id)
        empty.closeUnsafe()
        return Effect.onError(stored, () => Effect.sync(() => done(id)))
      })

    const done = (id: string): void => {
      pending.delete(id)
      if (pending.size === 0) empty.openUnsafe()
    }

    const deliver = queue.take((json, { attempts, id }) =>
      inner.post(fromJson(json)).pipe(
        Effect.tapError((error) =>
          attempts >= maxAttempts
            ? Effect.logError(`effect-epilogue: an alert is given up after ${attempts} attempts`, error.message)
            : Effect.logWarning(
              `effect-epilogue: an alert stays in the outbox after attempt ${attempts}`,
              error.message
            )
        ),
        Effect.as(id)
      )
    ).pipe(
      // only now it is stored that it was delivered
      Effect.map(done)
    )

    const worker = Effect.forever(Effect.catchCause(deliver, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const isPost = cause.reasons.every((reason) => Cause.isFailReason(reason) && reason.error instanceof AlerterError)
      // what a delivery fails with has been told, and it waits its turn; the store is given time
      return isPost ? Effect.void : Effect.andThen(
        Effect.logError("effect-epilogue: the outbox can't be read", cause),
        Effect.sleep("1 second")
      )
    }))

    if (options.deliver !== false) {
      for (let i = 0; i < (options.concurrency ?? 4); i++) yield* Effect.forkScoped(worker)
      // runs before the workers end, which were there first
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(
          Effect.timeoutOption(empty.await, Duration.fromInputUnsafe(options.drain ?? "5 seconds")),
          () =>
            pending.size === 0
              ? Effect.void
              : Effect.logWarning(
                `effect-epilogue: ${pending.size} alerts stay in the outbox, for whoever opens it next`
              )
        )
      )
    }

    const outbox: Alerter["Service"] & { readonly [OutboxTypeId]: Outbox } = {
      [OutboxTypeId]: { offer },
      post: (alert) =>
        timed(alert, (timed) =>
          Effect.catchCause(offer(timed), (cause) =>
            Effect.andThen(
              Effect.logError("effect-epilogue: the outbox can't be written", cause),
              Effect.fail(
                new AlerterError({
                  channel,
                  reason: AlerterErrorReason.Unreachable({ detail: "the outbox can't be written" })
                })
              )
            )))
    }
    return outbox
  })
