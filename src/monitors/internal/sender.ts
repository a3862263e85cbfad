/** Sends the pings of a monitor, one after another, by the mailbox that channels have. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Alert } from "../../Alert.ts"
import { AlerterErrorReason, isAlerterError } from "../../Alerter.ts"
import * as channel from "../../alerters/internal/channel/channel.ts"
import { failWith } from "../../internal/alerts/alerter.ts"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import * as Mailbox from "../../internal/alerts/mailbox/mailbox.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { english } from "../../internal/text/alertWords.ts"
import * as Writer from "../../internal/text/writer.ts"
import type { Monitor } from "./model.ts"
import { type Ping, PingError, scrubbed, toAlert } from "./ping.ts"

/** Sends pings, each at its turn. */
export interface Sender {
  /** Returns at once. What does not arrive is logged, and told to the ledger. */
  readonly send: (ping: Ping) => void
  /** Waits until all pings have arrived or are lost. */
  readonly settled: Effect.Effect<void>
}

/** Takes note of each ping that is to be sent. The function that it returns is called once the ping has arrived or is lost. */
export type Noting = (ping: Ping) => () => void

/** Makes the sender of a monitor. Closing the scope waits until the pings are sent, for as long as `drain` says. */
export const make = (
  { options, service }: Monitor,
  noting: Noting = () => () => {}
): Effect.Effect<Sender, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { name } = service
    const { channel: { http }, scrub: own } = yield* channel.make(name, options, service.secrets)
    const guard = yield* CurrentGuard
    const scrub = guard === undefined ? own : (text: string) => guard.text(own(text))
    const context = yield* Effect.context<never>()
    const ledger = Context.get(context, CurrentLedger)
    const sending = new Set<Fiber.Fiber<unknown>>()
    const settled = Effect.asVoid(Effect.suspend(() => Fiber.awaitAll([...sending])))
    yield* Effect.addFinalizer(() => settled)

    /** The pings that the mailbox holds, by the ids of the alerts that stand for them there. */
    const held = new Map<string, Ping>()
    const deliver = (alert: Alert) =>
      Effect.suspend(() => {
        const ping = held.get(alert.idempotencyKey ?? "")
        if (ping === undefined) return Effect.void
        return Effect.flatMap(service.request(ping), (made) => {
          if (made === undefined) return Effect.void
          const { learn, read, request } = made
          return read === undefined
            ? http.send(request, read, { learn, anyBody: true })
            : http.send(request, read, { learn })
        })
      }).pipe(Effect.catchCause((cause) =>
        failWith(
          cause,
          (detail) =>
            new PingError({ channel: name, reason: AlerterErrorReason.Rejected({ detail: http.detail(detail) }) })
        )
      ))
    const post = yield* Mailbox.make(deliver, {
      channel: name,
      pace: options.pace ?? service.pace,
      drain: options.drain,
      capacity: options.capacity,
      // a ping about one run does not stand for those about another
      keepsState: true,
      zone: DateTime.zoneMakeLocal(),
      words: english
    })

    let count = 0
    /** Whether the log says that pings do not arrive. */
    let isFailing = false
    const lose = (ping: Ping, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
      const known = Cause.squash(cause)
      const reason = isAlerterError(known) ? known.reason : AlerterErrorReason.Rejected({ detail: "it failed" })
      const error = new PingError({ channel: name, reason })
      ledger?.lost(toAlert(ping), error)
      if (isFailing) return Effect.void
      isFailing = true
      return Writer.logWarning(`effect-epilogue: a ping did not arrive: ${error.message}`)
    }
    return {
      settled,
      send: (given) => {
        if (!service.takes.has(given.kind)) return
        // one heartbeat that waits says as much as several
        if (given.kind === "heartbeat" && [...held.values()].some((ping) => isSameBeat(ping, given))) return
        const ping = scrubbed(given, scrub)
        const id = String(count++)
        held.set(id, ping)
        const note = noting(ping)
        // all of one severity, so that none overtakes another; about one run, so that a later one may stand for it
        const alert = Alert.make({
          title: ping.headline,
          dedupeKey: ping.runId ?? id,
          idempotencyKey: id,
          quiet: true
        })
        const sent = post(alert).pipe(
          Effect.andThen(Effect.sync(() => {
            isFailing = false
          })),
          Effect.catchCause((cause) => lose(ping, cause)),
          Effect.ensuring(Effect.sync(() => {
            held.delete(id)
            note()
          }))
        )
        const fiber = Effect.runForkWith(context)(sent)
        sending.add(fiber)
        fiber.addObserver(() => sending.delete(fiber))
      }
    } satisfies Sender
  })

const isSameBeat = (ping: Ping, { runId }: Ping): boolean => ping.kind === "heartbeat" && ping.runId === runId
