/** Keeps which mailboxes hold the alert of a post, for those who wait for it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** An alert in a mailbox. */
export interface Held {
  /** Takes the alert out of the mailbox. An attempt that is under way is interrupted, and may have arrived. */
  readonly withdraw: () => void
  /** Whether the alert waits for its turn in the mailbox of a channel that takes alerts. */
  readonly isQueued: () => boolean
}

/** A post that somebody waits for. Mailboxes add the alerts of the posts that are made inside of it. */
export class Posting {
  readonly #around: Posting | undefined
  readonly #held = new Set<Held>()
  /** The number of posts inside of it that are under way without a mailbox, and end when they are interrupted. */
  direct = 0
  /** Called when a mailbox begins to send the alert. */
  started: (() => void) | undefined
  /** Called when the alert will not arrive though nobody waits for the post any more. */
  lost: (() => void) | undefined

  constructor(around?: Posting) {
    this.#around = around
  }

  /** Whether mailboxes deliver the alert even if nobody waits for the post any more. */
  get isOnItsWay(): boolean {
    return this.#held.size > 0 && this.direct === 0
  }

  /** Whether the alert does nothing but wait for its turn. */
  get isQueued(): boolean {
    return this.isOnItsWay && [...this.#held].every((held) => held.isQueued())
  }

  add(held: Held): void {
    this.#held.add(held)
    this.#around?.add(held)
  }

  remove(held: Held): void {
    this.#held.delete(held)
    this.#around?.remove(held)
  }

  /** Adds to the number of posts that are under way without a mailbox. */
  addDirect(count: 1 | -1): void {
    this.direct += count
    this.#around?.addDirect(count)
  }

  tellStarted(): void {
    this.started?.()
    this.#around?.tellStarted()
  }

  tellLost(): void {
    this.lost?.()
    this.#around?.tellLost()
  }

  /** Takes the alert out of all mailboxes. */
  withdraw(): void {
    // each removes itself
    this.#held.forEach((held) => held.withdraw())
  }
}

/** The innermost post around. */
export const CurrentPosting: Context.Reference<Posting | undefined> = Context.Reference<Posting | undefined>(
  "effect-epilogue/Alerter/Posting",
  { defaultValue: () => undefined }
)

/** Makes a post that is waited for. */
export const posting = <A, E, R>(post: (posting: Posting) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const made = new Posting(fiber.getRef(CurrentPosting))
    return Effect.provideService(post(made), CurrentPosting, made)
  })

const ofFibers = new WeakMap<object, Posting>()

/**
 * Makes the post of a standard hook, which does nothing but to wait for it. Where its time is up, the engine asks for it
 * by the fiber of the hook.
 */
export const postingOfHook = <A, E, R>(post: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  posting((made) =>
    Effect.withFiber((fiber) => {
      ofFibers.set(fiber, made)
      return post
    })
  )

/** Returns the post that a standard hook waits for, by its fiber. Other hooks may have none. */
export const postingOf = (hook: object): Posting | undefined => ofFibers.get(hook)
