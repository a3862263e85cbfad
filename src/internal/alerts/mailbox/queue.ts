/** The alerts that wait in a mailbox: the choice of the next that is sent, and folding where too many wait. */
import type * as Context from "effect/Context"
import type { Words } from "../../text/alertWords.ts"
import type { Ledger } from "../ledger.ts"
import { countFolded } from "../metrics.ts"
import { type Content, foldTwo } from "./fold.ts"
import type { Entry, Item } from "./item.ts"

/** Alerts in the order of their posts. */
export type Queue = Array<Item>

/**
 * Returns the most severe alert, of several the first. An alert does not overtake one about the same, but is sent before
 * others as if it were as severe as the worst that waits for it.
 */
export const nextOf = (waiting: Readonly<Queue>, sending: Iterable<Item>): Item | undefined => {
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
      // not by the arguments of a call, of which there may not be as many as alerts in a storm
      let rank = -1
      for (const subject of subjects) rank = Math.max(rank, ranks.get(subject) ?? -1)
      if (found === undefined || rank > found.rank) found = { item, rank }
    }
    for (const subject of subjects) before.add(subject)
  }
  return found?.item
}

/** Takes an alert out, if it is there. */
export const remove = (waiting: Queue, item: Item): void => {
  const at = waiting.indexOf(item)
  if (at >= 0) waiting.splice(at, 1)
}

/** The most alerts that were folded into one and stay in the ledger. The others are counted. */
const maxTaken = 1000

/** The fewest posts among which those are looked for that nobody waits for. */
const minSweep = 100

/**
 * Makes an alert stand for an older one, too, whose posts end with it from now on. Keeps no trace of posts that nobody
 * waits for, of which there may be any number.
 */
const absorb = (newer: Item, older: Item, content: Content): void => {
  newer.content = content
  newer.unattended += older.unattended
  const { taken } = older
  const addMore = (count: number, ledger: Ledger): void => {
    newer.more = { count: (newer.more?.count ?? 0) + count, ledger }
  }
  const take = (one: Entry): void => {
    if (taken.length < maxTaken) return void taken.push(one)
    one.counted()
    addMore(1, one.ledger)
  }
  if (older.more !== undefined) addMore(older.more.count, older.more.ledger)
  newer.taken.forEach(take)
  newer.taken = taken
  // the fewer to the more, which in a storm are those of all alerts before
  const [few, many] = newer.parts.size < older.parts.size ? [newer.parts, older.parts] : [older.parts, newer.parts]
  for (const part of few) many.add(part)
  newer.parts = many
  newer.sweepAt = Math.max(minSweep, older.sweepAt ?? 0, newer.sweepAt ?? 0)
  if (many.size < newer.sweepAt) return
  for (const part of many) {
    if (part.resume !== undefined) continue
    many.delete(part)
    part.posting?.remove(part.held)
    newer.unattended++
    if (part.taken !== undefined) take(part.taken)
  }
  newer.sweepAt = Math.max(minSweep, 2 * many.size)
}

/** Options of {@link foldTo}. */
export interface FoldOptions {
  readonly channel: string
  /** Whether each alert changes what the channel shows of its subject, so that none may be replaced by a list. */
  readonly keepsState?: boolean | undefined
  readonly words: Words
}

/**
 * Folds alerts until at most so many wait. If some have no other to be folded with, calls `leaveOut` with the least
 * severe, which is not in the queue any more, or without it leaves them.
 */
export const foldTo = (
  waiting: Queue,
  most: number,
  { channel, keepsState, words }: FoldOptions,
  context: Context.Context<never>,
  leaveOut?: (item: Item) => void
): void => {
  while (waiting.length > most) {
    const folded = foldTwo(waiting.map(({ content }) => content), keepsState !== true, words)
    if (folded === undefined) {
      if (leaveOut === undefined) return
      // all are about different things, of which the channel shows each
      const least = waiting.reduce((a, b) => b.content.rank < a.content.rank ? b : a)
      remove(waiting, least)
      leaveOut(least)
      continue
    }
    // the positions are those of two items
    const older = waiting[folded.older]!
    absorb(waiting[folded.newer]!, older, folded.content)
    remove(waiting, older)
    countFolded(channel, context)
  }
}
