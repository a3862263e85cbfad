/** Words and orders for comparisons, also for the script of the page of runs. */
import { formatDuration } from "../../../internal/text/duration.ts"
import type { Change, ComparedStep, Difference } from "../../Compared.ts"

/** The words that mark a change beside its colour. */
export const changeWords: Readonly<Record<Change, string>> = {
  newlyFailing: "newly failing",
  recovered: "recovered",
  endedOtherwise: "ended otherwise",
  slower: "slower",
  faster: "faster",
  added: "added",
  removed: "removed"
}

/** Tells changes for the worse in the later run from those for the better, and from those that are neither. */
export const changeLooks: Readonly<Record<Change, "worse" | "better" | "other">> = {
  newlyFailing: "worse",
  recovered: "better",
  endedOtherwise: "other",
  slower: "worse",
  faster: "better",
  added: "other",
  removed: "other"
}

/** The weight of a change among others: those of a higher weight come first. Changes of time weigh by their time. */
const weights: Readonly<Record<Change, number>> = {
  newlyFailing: 4,
  endedOtherwise: 3,
  recovered: 2,
  slower: 1,
  faster: 1,
  added: 1,
  removed: 1
}

const weightOf = ({ changes }: Difference): number => Math.max(0, ...changes.map((change) => weights[change]))

/** How much time a step takes more or less: all of its own if only one of the runs has it. */
const sizeOf = ({ after, before, differenceMillis }: Difference): number =>
  before === undefined || after === undefined
    ? (before ?? after)?.durationMillis ?? 0
    : Math.abs(differenceMillis ?? 0)

/** Returns the steps that changed most first, in the order of the run where they changed as much. */
export const byChange = <A extends Difference>(steps: ReadonlyArray<A>): ReadonlyArray<A> =>
  steps.toSorted((a, b) => weightOf(b) - weightOf(a) || sizeOf(b) - sizeOf(a))

/** Counts the steps that changed. */
export const changedIn = (steps: ReadonlyArray<Difference>): number =>
  steps.reduce((count, { changes }) => count + (changes.length > 0 ? 1 : 0), 0)

/** Formats how much longer something took, as in `+1.2 s`. */
export const differenceText = (millis: number): string => `${millis >= 0.5 ? "+" : ""}${formatDuration(millis)}`

/** Formats the share by which a duration grew, as in `+35 %`. */
export const percentText = (ratio: number): string => {
  // not -0, which would be written with its sign
  const percent = Math.round(ratio * 100) || 0
  return `${percent > 0 ? "+" : ""}${percent.toLocaleString("en")} %`
}

/** Returns the name of a step with its number, if it is not the first of its name beside others. */
export const numberedName = ({ name, nth }: Pick<ComparedStep, "name" | "nth">): string =>
  nth === 1 ? name : `${name} #${nth}`
