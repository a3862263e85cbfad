/** What the activities of a run are called by: the same at each replay, and different for any two. */
import type { Fiber } from "effect/Fiber"

/**
 * What separates the parts of a key can't be in one, nor can what databases refuse or change: Postgres takes no NUL,
 * and half a surrogate pair becomes U+FFFD in UTF-8.
 */
export const part = (text: string): string =>
  text.replace(/[%/[\]#\p{Cc}\p{Cs}]/gu, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`)

interface Seen {
  times: number
  /** Whether all of them were evaluated by the fiber of the run's body, one after another. */
  inOrder: boolean
}

/** The steps that a run has come to, by their names and keys. */
export class Keys {
  readonly #seen = new Map<string, Seen>()
  readonly #body: Fiber<unknown, unknown>

  constructor(body: Fiber<unknown, unknown>) {
    this.#body = body
  }

  /**
   * The key of an evaluation of a step, or what is wrong with it. A step that runs again is the second of its name
   * only where the order can't be another one at a replay: that is what the body's own fiber does.
   */
  next(
    name: string,
    key: string | undefined,
    fiber: Fiber<unknown, unknown>
  ): { readonly key: string } | { readonly mistake: string } {
    const base = key === undefined ? part(name) : `${part(name)}[${part(key)}]`
    const inOrder = fiber === this.#body
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
        }: give each a key of its own, as in Durable.step(step, { key })`
      }
    }
    return { key: `${base}#${seen.times}` }
  }
}
