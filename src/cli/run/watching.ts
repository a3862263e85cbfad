/** Watches what becomes of the alerts of a config file's alerter: where each arrives, and what its stores keep. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import type { Leaf, Wraps } from "../../config/internal/apply/alerter.ts"
import { Store } from "../../delivery/Store.ts"
import { CurrentLedger, type Ledger, none } from "../../internal/alerts/ledger.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import { errorMessage } from "../../internal/text/errors.ts"

/** The end of a post to a place of the alerter. */
export interface Post {
  readonly leaf: Leaf
  readonly alert: Alert
  /** Why it did not arrive, or `undefined` where it did. */
  readonly why: string | undefined
}

/** The alerts that stores keep. */
export interface Kept {
  count: number
  /** When the first of them is due, in milliseconds since 1970. */
  due: number | undefined
  /** The number of failures that have not recovered, and that nobody has acknowledged. */
  open: number
}

/** Returns why a post failed, without the name of the channel. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "no answer in time"
  const error = Cause.squash(cause)
  const message = withoutUrls(errorMessage(error))
  const prefix = hasProperty(error, "channel") ? `${String(error.channel)}: ` : ""
  return message.startsWith(prefix) ? message.slice(prefix.length) : message
}

/** The names of states that hold alerts, as `digest` and `quietHours` do. */
const holding = /^effect-epilogue\/(?:digest|quietHours)\//

/** The name of the state with the failures that have not recovered. */
const book = "effect-epilogue/acknowledgements"

/**
 * Tells how a post ends: not when its time is up, if the alert is still on its way, but when that has arrived or is
 * lost. It runs in finalizers, so that no interruption comes between a delivery and the report of it.
 */
const followed = <E>(
  post: Effect.Effect<void, E>,
  around: Ledger,
  tell: (why: string | undefined) => void
): Effect.Effect<void, E> => {
  let held = 0
  let isOver = false
  const settling = <A extends ReadonlyArray<unknown>>(settle: (...args: A) => void, end: (...args: A) => void) =>
  (
    ...args: A
  ): void => {
    held--
    settle(...args)
    if (isOver && held === 0) end(...args)
  }
  const ledger: Ledger = {
    lost: around.lost,
    accepted: (taken, by) => {
      const entry = around.accepted(taken, by)
      held++
      return {
        kept: settling(entry.kept, () => {}),
        delivered: settling(entry.delivered, () => tell(undefined)),
        lost: settling(entry.lost, (error) => tell(reasonOf(Cause.fail(error))))
      }
    }
  }
  return Effect.onExit(Effect.provideService(post, CurrentLedger, ledger), (exit) =>
    Effect.sync(() => {
      if (exit._tag === "Success") return tell(undefined)
      if (held > 0 && Cause.hasInterruptsOnly(exit.cause)) isOver = true
      else tell(reasonOf(exit.cause))
    }))
}

/** Makes a watch. `onPost` is called with the end of each post to a place, by whichever policy it comes. */
export const watch = (onPost: (post: Post) => void): { readonly wraps: Wraps; readonly kept: Kept } => {
  const kept: Kept = { count: 0, due: undefined, open: 0 }
  const look = (entries: Map<string, unknown>): void => {
    for (const entry of entries.values()) {
      const due = hasProperty(entry, "due") && typeof entry.due === "number" ? entry.due : undefined
      kept.count++
      if (due !== undefined && (kept.due === undefined || due < kept.due)) kept.due = due
    }
  }
  const count = (entries: Map<string, unknown>): void => {
    for (const entry of entries.values()) if (!hasProperty(entry, "acknowledged")) kept.open++
  }
  const leaf: Wraps["leaf"] = (layer, leaf) =>
    Layer.effect(
      Alerter,
      Effect.map(Alerter, (inner) =>
        Alerter.of({
          ...inner,
          post: (input) => {
            const alert = Alert.make(input)
            return Effect.withFiber((fiber) =>
              followed(inner.post(alert), fiber.getRef(CurrentLedger) ?? none, (why) => {
                if (!alert.quiet) onPost({ leaf, alert, why })
              })
            )
          }
        }))
    ).pipe(Layer.provide(layer))
  const store: Wraps["store"] = (layer) =>
    Layer.provide(
      Layer.effect(
        Store,
        Effect.gen(function*() {
          const inner = yield* Store
          const looks: Array<Effect.Effect<void>> = []
          // after the policies have posted what is due, and before the store is closed
          yield* Effect.addFinalizer(() => Effect.all(looks, { discard: true }))
          return {
            state: (name, schema) => {
              const state = inner.state(name, schema)
              if (holding.test(name)) looks.push(state.modify(look))
              if (name === book) looks.push(state.modify(count))
              return state
            }
          }
        })
      ),
      layer
    )
  return { wraps: { leaf, store }, kept }
}
