/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../Alert.ts"
import { type Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { CurrentLedger, trial } from "../internal/alerts/ledger.ts"
import { droppedByAll } from "../internal/alerts/metrics.ts"
import { checked } from "../internal/model/options.ts"
import { posting } from "../internal/model/posting.ts"
import { withoutUrls } from "../internal/text/addresses.ts"
import type { Words } from "../internal/text/alertWords.ts"
import * as Writer from "../internal/text/writer.ts"
import { monotonicMillis, withFields } from "./internal/entries.ts"
import { limitOf } from "./internal/options.ts"
import { arrivalOf, atPlace, conclude, isAt, quietly } from "./internal/places.ts"
import { isResolving, type Post } from "./internal/policy.ts"
import { combine, combinedError, errorOf, oneOf } from "./internal/several.ts"

/**
 * Options of {@link fallback}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FallbackOptions {
  /** The time limit of a post to the first alerter. 15 seconds by default. */
  readonly after?: Duration.Input | undefined
  /** For how long after a failure the first alerter is skipped. Zero by default: each alert is tried there first. */
  readonly cooldown?: Duration.Input | undefined
}

/**
 * Posts an alert to a second alerter if the first does not deliver it.
 *
 * **When to use**
 *
 * For alerts that must arrive even while a channel is down: push messages or the console as a fallback for a chat.
 *
 * **Details**
 *
 * - The second alerter is used where the first fails, dies, or exceeds the time limit `after`, in which case it is
 *   interrupted. The alert that the second receives says why, in a field `not delivered by`.
 * - An alert waits for its turn in the mailbox of its channel. That time does not count, as long as the channel takes
 *   other alerts: `after` begins anew with its first attempt. When the time is up, the alert is taken out of the mailbox.
 * - An alert whose post is interrupted while a mailbox has it still gets to the second alerter if the first loses it.
 * - Fails if both fail, with one error of the channel `"fallback"` that contains the messages of both.
 * - A recovery goes where its failure went: to the second alerter if that has told it.
 * - There may be a third: in `a.pipe(fallback(b), fallback(c))` each alerter has its own time limit.
 *
 * **Gotchas**
 *
 * - An alert whose attempt is under way when the time is up may arrive at both alerters.
 * - Channels retry by themselves. Set `after` longer than all their attempts take, or give them fewer.
 * - Hooks have a time limit too, 30 seconds by default. Where an alerter has no mailbox, it must be longer than the whole
 *   chain takes.
 * - An `after` that is not positive, or a negative `cooldown`, is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { fallback } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(fallback(Alerter.layerConsole, { after: "5 seconds" }))
 * ```
 *
 * @see {@link fanOut} for posting to several alerters at once
 *
 * @category policies
 * @since 0.1.0
 */
export const fallback: {
  <E2, R2>(
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E | E2, R | R2>
  <E, R, E2, R2>(
    self: Layer.Layer<Alerter, E, R>,
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Alerter, E | E2, R | R2>
} = dual(
  (args) => Layer.isLayer(args[1]),
  <E, R, E2, R2>(
    self: Layer.Layer<Alerter, E, R>,
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Alerter, E | E2, R | R2> =>
    combine("fallback", [self, second], ([first, second], { words }) => {
      const { after = "15 seconds", cooldown = 0 } = checked("fallback", options ?? {}, { after: 0, cooldown: 0 })
      return make(
        first,
        second,
        Duration.millis(limitOf("fallback", "after", after)),
        limitOf("fallback", "cooldown", cooldown, 0),
        words
      )
    })
)

/**
 * Restarts the time limits of all fallbacks around this one. Runs when this one turns to its second alerter, which is
 * entitled to as much time as the first has had.
 */
const RestartTimeLimits: Context.Reference<Effect.Effect<void>> = Context.Reference(
  "effect-epilogue/delivery/fallback/RestartTimeLimits",
  { defaultValue: () => Effect.void }
)

/** The time for which the closing layer waits for alerts whose posts were left while the first alerter had them. */
const closeLimit = "30 seconds"

const make = (
  first: Post,
  second: Post,
  after: Duration.Duration,
  cooldown: number,
  words: Words
): Effect.Effect<Post, never, Scope.Scope> =>
  Effect.gen(function*() {
    const left = new Set<Fiber.Fiber<unknown, unknown>>()
    yield* Effect.addFinalizer(() => Effect.timeoutOption(Fiber.awaitAll(left), closeLimit))
    // the last error of the first alerter, while that is skipped
    let broken: { readonly error: AlerterError; readonly until: number } | undefined
    const members = { first: atPlace("first", first), second: atPlace("second", second) }
    const chain: Post = (alert) =>
      Effect.gen(function*() {
        let error = broken !== undefined && (yield* monotonicMillis) < broken.until ? broken.error : undefined
        if (error === undefined) {
          const outcome = yield* outcomeOf(members.first(alert), after)
          if (typeof outcome === "boolean") {
            broken = undefined
            return yield* droppedByAll([outcome])
          }
          error = outcome
          broken = { error, until: (yield* monotonicMillis) + cooldown }
        }
        yield* yield* RestartTimeLimits
        const annotated = withFields(alert, { [words.notDeliveredBy]: withoutUrls(error.message) })
        const firstError = error
        const isDropped = yield* Effect.catchCause(
          members.second(annotated),
          (cause) => Effect.fail(combinedError("fallback", [firstError, errorOf(cause)]))
        )
        yield* droppedByAll([isDropped])
      })
    return (alert) => outliving(alert, isResolving(alert) ? resolve(alert, members, chain) : chain(alert), left)
  })

/**
 * Posts on a fiber of its own. If the caller is interrupted while the alert is in a mailbox, the fiber goes on, so that
 * the second alerter gets what the first loses.
 */
const outliving = (
  alert: Alert,
  post: Effect.Effect<void, AlerterError>,
  left: Set<Fiber.Fiber<unknown, unknown>>
): Effect.Effect<void, AlerterError> =>
  posting((posting) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const around = yield* CurrentLedger
        const ledger = trial(around)
        const fiber = yield* Effect.forkDetach(
          Effect.interruptible(Effect.provideService(post, CurrentLedger, ledger)).pipe(
            // what a member holds from now on is not sent another way
            Effect.ensuring(Effect.sync(() => ledger.release()))
          ),
          { startImmediately: true }
        )
        return yield* Effect.onInterrupt(restore(Fiber.join(fiber)), () => {
          if (!posting.isOnItsWay) return Fiber.interrupt(fiber)
          const taken = alert.quiet ? undefined : around?.accepted(alert, "fallback")
          left.add(fiber)
          fiber.addObserver((exit) => {
            left.delete(fiber)
            if (exit._tag === "Success") return taken?.delivered()
            const error = errorOf(exit.cause)
            posting.tellLost()
            taken?.lost(error)
            Effect.runForkWith(fiber.context)(
              Writer.logError("effect-epilogue: 1 alert did not arrive", `${alert.title}: ${error.message}`)
            )
          })
          return Effect.void
        })
      })
    )
  )

/**
 * Posts an alert that something is well again. Where the second alerter has told the failure, it tells the recovery, too.
 * An alerter that has nothing to tell may keep an incident: it gets a quiet alert.
 */
const resolve = (
  alert: Alert,
  members: Readonly<Record<"first" | "second", ReturnType<typeof atPlace>>>,
  chain: Post
): Effect.Effect<void, AlerterError> =>
  Effect.gen(function*() {
    const isKnown = !alert.quiet && alert.recovers.length > 0 && alert.recovers.every(({ told }) => told.length > 0)
    const hears = (name: string) => isKnown && alert.recovers.some((failure) => isAt(failure, name))
    const arrival = yield* arrivalOf(
      alert.quiet
        ? members.first(alert)
        : hears("second") && !hears("first")
        ? Effect.catchCause(members.second(alert), () => chain(alert))
        : chain(alert)
    )
    const told = [...alert.told, ...arrival.told]
    const rest = (["first", "second"] as const).filter((name) =>
      alert.quiet ? name === "second" : !told.some((place) => place.split("/", 1)[0] === name)
    )
    const errors = yield* Effect.forEach(rest, (name) =>
      Effect.match(members[name](hears(name) ? alert : quietly(alert)), {
        onSuccess: () => [],
        onFailure: (error) => [error]
      }))
    yield* conclude(arrival)
    if (errors.flat().length > 0) {
      yield* Effect.fail(oneOf("fallback", errors.flat()))
    }
  })

/** Returns the error of a post, also where it died or exceeded the time limit, or else whether the alert was dropped. */
const outcomeOf = (
  post: Effect.Effect<boolean, AlerterError>,
  after: Duration.Duration
): Effect.Effect<AlerterError | boolean> =>
  posting((posting) =>
    Effect.gen(function*() {
      const outer = yield* RestartTimeLimits
      const clock = yield* Clock.Clock
      const now = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      const allowed = Duration.toMillis(after)
      let deadline = now() + allowed
      const extend = () => {
        deadline = now() + allowed
      }
      // the time that it waits for its turn says nothing about the channel
      posting.started = extend
      const outOfTime = Effect.gen(function*() {
        let left = allowed
        while (left > 0 || posting.isQueued) {
          yield* Effect.sleep(left > 0 ? left : allowed)
          left = deadline - now()
        }
        posting.withdraw()
        const reason = AlerterErrorReason.TimedOut({ limit: after })
        return new AlerterError({ channel: "the first channel", reason })
      })
      const outcome = Effect.matchCause(post, { onSuccess: identity<AlerterError | boolean>, onFailure: errorOf })
      // A detached fiber: an alerter that is slow to end when it is interrupted must not delay the second.
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const fiber = yield* outcome.pipe(
            Effect.provideService(RestartTimeLimits, Effect.andThen(outer, Effect.sync(extend))),
            Effect.interruptible,
            Effect.forkDetach({ startImmediately: true })
          )
          return yield* Effect.raceFirst(Fiber.join(fiber), outOfTime).pipe(
            restore,
            Effect.onInterrupt(() => Fiber.interrupt(fiber)),
            Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
          )
        })
      )
    })
  )
