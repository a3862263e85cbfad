import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Alert } from "../../Alert.ts"
import { heldBack } from "../../internal/alerts/metrics.ts"
import { atLeast } from "../../internal/model/severity.ts"
import { localTime } from "../../internal/text/localTime.ts"
import type { ThrottleOptions } from "../throttle.ts"
import { explain, heldBack as heldBackField, withFields } from "./entries.ts"
import { alerts, span } from "./hold/digest.ts"
import * as Window from "./hold/timer.ts"
import { countOf, millisOf } from "./options.ts"
import type { Post } from "./policy.ts"
import * as State from "./state/state.ts"
import * as Counts from "./throttle/counts.ts"

const limitOf = (name: string, { limit, window }: Pick<ThrottleOptions, "limit" | "window">): Counts.Limit => ({
  limit: countOf("throttle", `${name}limit`, limit),
  window: millisOf("throttle", `${name}window`, window)
})

/** @internal */
export const make = <P extends string | undefined>(
  post: Post,
  options: ThrottleOptions<P>
): Effect.Effect<Post, never, Scope.Scope | State.Persisted<P>> =>
  Effect.gen(function*() {
    const zone = options.timeZone ?? DateTime.zoneMakeLocal()
    const limits: Counts.Limits = {
      overall: limitOf("", options),
      perKey: options.perKey === undefined ? undefined : limitOf("perKey.", options.perKey)
    }
    const always = options.always === undefined ? () => false : atLeast(options.always)
    const state = yield* State.make("throttle", options.persist, Counts.Entry)
    // passes in use: they count, however long a delivery takes
    const underway = new Set<string>()
    let closed = false
    // whether the next process knows the counts
    let outlives = options.persist !== undefined
    // after a summary that failed
    let notBefore = -Infinity

    // nobody would tell of it any more
    const isLate = () => closed && !outlives

    const begin = (alert: Alert, now: number, id: string) =>
      state.modify((entries): Counts.Told | undefined => {
        if (isLate()) return []
        if (always(alert)) return Counts.tell(entries, Counts.keyOf(alert))
        const told = Counts.enter(entries, limits, underway, alert, now, id)
        if (told !== undefined) underway.add(id)
        return told
      })

    /** What came of a delivery: the pass was used now, or not at all. */
    const end = (id: string, key: string, told: Counts.Told, exit: Exit.Exit<unknown, unknown>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const late = isLate()
        yield* state.modify((entries) => {
          if (Exit.isFailure(exit)) Counts.giveBack(entries, id)
          else if (underway.has(id)) Counts.pass(entries, key, id, now)
          if (Exit.isFailure(exit) && !late) Counts.add(entries, told)
          underway.delete(id)
        })
        if (Exit.isFailure(exit) && late) yield* lost(told)
      })

    const deliver = (alert: Alert, restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const told = yield* begin(alert, now, id)
        if (told === undefined) {
          changed()
          return yield* heldBack("throttle")
        }
        const exit = yield* Effect.exit(restore(Effect.suspend(() => post(telling(alert, told, zone)))))
        yield* end(id, Counts.keyOf(alert), told, exit)
        changed()
        return yield* exit
      })

    const summarise = (take: Take) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const told = yield* state.modify((entries) => {
          const told = take(entries, now, id)
          if (told.length > 0) underway.add(id)
          return told
        })
        if (told.length === 0) return
        const exit = yield* Window.attempt(post, () => summaryOf(told, now, zone))
        yield* end(id, Counts.others, told, exit)
        if (Exit.isSuccess(exit)) return
        notBefore = (yield* Clock.currentTimeMillis) + limits.overall.window
        yield* Effect.logWarning(
          "effect-epilogue: throttle: what was held back could not be told",
          explain(exit.cause)
        )
      }))

    const due: Take = (entries, now, id) => Counts.summarise(entries, limits, underway, now, id)

    const changed = yield* Window.make({
      next: state.modify((entries) => {
        const at = Counts.nextSummary(entries, limits, underway)
        return at === undefined ? undefined : Math.max(at, notBefore)
      }),
      flush: summarise(due),
      close: Effect.gen(function*() {
        closed = true
        const { size } = yield* state.unsaved
        outlives = options.persist !== undefined && size === 0
        // What is due must not wait for the next process, which may be as short as this one.
        yield* summarise(size === 0 ? due : takeAll)
      }),
      closed: Effect.flatMap(
        state.unsaved,
        ({ size }) => size === 0 ? Effect.void : Effect.flatMap(state.modify(takeAll), lost)
      )
    })

    return (alert) => Effect.uninterruptibleMask((restore) => deliver(alert, restore))
  })

type Entries = Map<string, typeof Counts.Entry.Type>

const takeAll = (entries: Entries): Counts.Told => Counts.tell(entries, undefined)

/** Takes from the entries what is to be told. */
type Take = (entries: Entries, now: number, id: string) => Counts.Told

const telling = (alert: Alert, told: Counts.Told, zone: DateTime.TimeZone): Alert =>
  told.length === 0 ? alert : withFields(alert, { [heldBackField]: sentence(told, zone) })

const sentence = (told: Counts.Told, zone: DateTime.TimeZone): string => {
  const { count, since } = Counts.total(told)
  const subjects = Counts.bySubject(told).map(({ count, name }) => `${name} (${count})`).join(", ")
  return `${alerts(count)} since ${localTime(DateTime.makeUnsafe(since), zone)}: ${subjects}`
}

const summaryOf = (told: Counts.Told, now: number, zone: DateTime.TimeZone): Alert => {
  const { count, severity, since } = Counts.total(told)
  const time = span(now - since)
  return Alert.make({
    title: `${alerts(count)} held back`,
    body: `Since ${localTime(DateTime.makeUnsafe(since), zone)}${time === "" ? "" : `, in ${time}`}.`,
    severity,
    fields: Counts.bySubject(told).map(({ count, name }) => ({ name, value: `${count}` }))
  })
}

const lost = (told: Counts.Told): Effect.Effect<void> => {
  if (told.length === 0) return Effect.void
  return Effect.logError(
    `effect-epilogue: throttle: nobody was told of ${alerts(Counts.total(told).count)} held back`,
    Counts.bySubject(told).map(({ count, name }) => `${name}: ${count}`).join("\n")
  )
}
