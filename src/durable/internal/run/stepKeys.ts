/** Names the activities of a run: the same names at each replay, and different ones for any two steps. */
import type { Fiber } from "effect/Fiber"

/**
 * Escapes a part of an activity's name: the characters that separate parts, and those that databases reject or change
 * (Postgres takes no NUL, and half a surrogate pair becomes U+FFFD in UTF-8).
 */
export const escapePart = (text: string): string =>
  text.replace(/[%/[\]#\p{Cc}\p{Cs}]/gu, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`)

interface Seen {
  times: number
  /** Whether the fiber of the run's body evaluated all of them, and therefore one after another. */
  inOrder: boolean
}

/** Numbers the evaluations of a run's steps by name and key. */
export class StepKeys {
  readonly #seen = new Map<string, Seen>()
  /** The fiber that evaluates the body of the run. */
  body: Fiber<unknown, unknown>

  constructor(body: Fiber<unknown, unknown>) {
    this.body = body
  }

  /**
   * Returns the key of the next evaluation of a step, or a mistake. A repeated name gets a number only where a replay
   * must come to the same order, which holds for evaluations on the body's own fiber; for others it is a mistake.
   */
  next(
    name: string,
    key: string | undefined,
    fiber: Fiber<unknown, unknown>
  ): { readonly key: string } | { readonly mistake: string } {
    const base = key === undefined ? escapePart(name) : `${escapePart(name)}[${escapePart(key)}]`
    const inOrder = fiber === this.body
    const seen = this.#seen.get(base)
    if (seen === undefined) {
      this.#seen.set(base, { times: 1, inOrder })
      return { key: base }
    }
    seen.times++
    if (!seen.inOrder || !inOrder) {
      return {
        mistake: `it runs more than once in this run, not one after another${
          key === undefined ? "" : `, with the key ${JSON.stringify(key)}`
        }: give each a key of its own, as in Step.key(step, key)`
      }
    }
    return { key: `${base}#${seen.times}` }
  }
}
