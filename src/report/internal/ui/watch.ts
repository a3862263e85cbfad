/** Watches items that change, and gives each receiver what it has not been sent yet. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Items that are new or have changed, and the ids of removed ones. `all` says that there are no others. */
export interface ItemChange<A> {
  readonly all: boolean
  readonly items: ReadonlyArray<A>
  readonly removed: ReadonlyArray<string>
}

/** Items as they were found last, and then what changes. */
export interface Watch<A> {
  /** Gives all items first, in their order, and then changes. */
  readonly changes: Stream.Stream<ItemChange<A>>
}

/** The items to watch, and how they are compared. */
export interface Watched<A, E> {
  readonly look: Effect.Effect<ReadonlyArray<A>, E>
  /** Whether an item that was known before is told anew. */
  readonly isChanged: (before: A, now: A) => boolean
  readonly order: (a: A, b: A) => number
  readonly lookEvery: Duration.Input
}

/** Looks again and again, as long as the scope is open and somebody receives the changes. */
export const watch = <A extends { readonly id: string }, E>(
  { isChanged, look: lookFor, lookEvery, order }: Watched<A, E>
): Effect.Effect<Watch<A>, E, Scope.Scope> =>
  Effect.gen(function*() {
    /** The items that were found last. One that changes gets a new object. */
    const known = new Map<string, A>()
    const wakes = yield* PubSub.sliding<void>(1)
    let receivers = 0
    const look = Effect.gen(function*() {
      const found = yield* lookFor
      const ids = new Set(found.map(({ id }) => id))
      const removed = [...known.keys()].filter((id) => !ids.has(id))
      for (const id of removed) known.delete(id)
      const changed = found.filter((item) => {
        const before = known.get(item.id)
        return before === undefined || isChanged(before, item)
      })
      for (const item of changed) known.set(item.id, item)
      if (changed.length + removed.length > 0) yield* PubSub.publish(wakes, undefined)
    })
    yield* look
    // what can't be read for a while is looked at again
    const lookAgain = Effect.suspend(() => receivers === 0 ? Effect.void : Effect.ignore(look))
    yield* Effect.forkScoped(Effect.repeat(lookAgain, Schedule.spaced(lookEvery)))
    const received = Effect.acquireRelease(
      Effect.sync(() => void receivers++),
      () => Effect.sync(() => void receivers--)
    )
    return {
      changes: Stream.unwrap(Effect.gen(function*() {
        yield* received
        // subscribed before the first look, so that nothing between the two is missed
        const woken = yield* PubSub.subscribe(wakes)
        yield* Effect.ignore(look)
        // The items that were sent are kept for each receiver: a slow one gets one change in place of several, and misses none.
        let sent: ReadonlyMap<string, A> = new Map()
        const next = (all: boolean) =>
          Effect.sync((): ItemChange<A> => {
            const before = sent
            sent = new Map(known)
            return {
              all,
              items: [...sent.values()].filter((item) => before.get(item.id) !== item).toSorted(order),
              removed: [...before.keys()].filter((id) => !sent.has(id))
            }
          })
        return Stream.concat(
          Stream.fromEffect(next(true)),
          Stream.fromSubscription(woken).pipe(
            Stream.mapEffect(() => next(false)),
            Stream.filter(({ items, removed }) => items.length + removed.length > 0)
          )
        )
      }))
    }
  })
