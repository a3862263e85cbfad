/** The alerts in a mailbox, and the choice of the next that is sent. */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AlerterError } from "../../model/alerterError.ts"
import type { Held, Posting } from "../../model/posting.ts"
import type { Taken } from "../ledger.ts"
import type { Report } from "../reports.ts"
import type { Content } from "./fold.ts"
import type { Stamp } from "./pace.ts"

/** A post whose alert is in the mailbox. */
export interface Part {
  readonly posting: Posting | undefined
  readonly held: Held
  /** Tells the one who waits. `undefined` once nobody does. */
  resume: ((outcome: Effect.Effect<void, AlerterError>) => void) | undefined
  /** Tells observers of the run what becomes of the alert. */
  readonly report: Report | undefined
  /** The entry in the ledger, once nobody waits. */
  taken: Taken | undefined
}

/** An alert in the mailbox, or several that were folded. */
export interface Item {
  content: Content
  readonly parts: Set<Part>
  /** The number of folded alerts that nobody waited for. */
  unattended: number
  /** The context of the latest of its posts. */
  readonly context: Context.Context<never>
  /** The entries in the ledger of folded alerts that nobody waits for. */
  taken: ReadonlyArray<Taken>
  readonly since: number
  /** Set while it is being sent. */
  fiber: Fiber.Fiber<void, AlerterError> | undefined
  stamp: Stamp | undefined
  /** Why the last attempt failed. */
  error: AlerterError | undefined
}

/** The most alerts that were folded into one and stay in the ledger. The others count as told by that one. */
const maxTaken = 1000

/**
 * Makes an alert stand for an older one, too, whose posts end with it from now on. Keeps no trace of posts that nobody
 * waits for, of which there may be any number.
 */
export const absorb = (newer: Item, older: Item, content: Content): void => {
  newer.content = content
  newer.unattended += older.unattended
  const left: Array<Taken> = []
  for (const part of older.parts) {
    if (part.resume !== undefined) newer.parts.add(part)
    else {
      part.posting?.remove(part.held)
      newer.unattended++
      if (part.taken !== undefined) left.push(part.taken)
    }
  }
  const taken = [...older.taken, ...newer.taken, ...left]
  for (const { delivered } of taken.slice(maxTaken)) delivered()
  newer.taken = taken.slice(0, maxTaken)
}

/**
 * Returns the most severe alert, of several the first. An alert does not overtake one about the same, but is sent before
 * others as if it were as severe as the worst that waits for it. `waiting` is in the order of the posts.
 */
export const nextOf = (waiting: ReadonlyArray<Item>, sending: Iterable<Item>): Item | undefined => {
  const ranks = new Map<string, number>()
  for (const { content } of waiting) {
    for (const subject of content.subjects) ranks.set(subject, Math.max(ranks.get(subject) ?? -1, content.rank))
  }
  const before = new Set<string>()
  for (const { content } of sending) for (const subject of content.subjects) before.add(subject)
  let found: { readonly item: Item; readonly rank: number } | undefined
  for (const item of waiting) {
    const { subjects } = item.content
    if (subjects.isDisjointFrom(before)) {
      const rank = Math.max(...Array.from(subjects, (subject) => ranks.get(subject) ?? -1))
      if (found === undefined || rank > found.rank) found = { item, rank }
    }
    for (const subject of subjects) before.add(subject)
  }
  return found?.item
}

/** Returns whether the channel would have taken no other alert either. */
export const isOutage = ({ reason }: AlerterError): boolean =>
  reason._tag === "Rejected" ? (reason.status ?? 0) >= 500 : reason._tag !== "InvalidAlert"
