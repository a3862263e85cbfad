/** An alert in a mailbox, and the posts that it ends. */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AlerterError } from "../../model/alerterError.ts"
import type { Held, Posting } from "../../model/posting.ts"
import type { Ledger, Taken } from "../ledger.ts"
import type { Report } from "../reports.ts"
import type { Content } from "./fold.ts"
import type { Stamp } from "./pace.ts"

/** An entry in a ledger, of an alert that nobody waits for. */
export interface Entry extends Taken {
  readonly ledger: Ledger
  /** Ends the entry where the alert that stands for it only counts it. Observers are not told what becomes of that. */
  readonly counted: () => void
}

/** A post whose alert is in the mailbox. */
export interface Part {
  readonly posting: Posting | undefined
  readonly held: Held
  /** Tells the one who waits. `undefined` once nobody does. */
  resume: ((outcome: Effect.Effect<void, AlerterError>) => void) | undefined
  /** Tells observers of the run what becomes of the alert. */
  readonly report: Report | undefined
  /** The entry in the ledger, once nobody waits. */
  taken: Entry | undefined
}

/** An alert in the mailbox, or several that were folded. */
export interface Item {
  content: Content
  parts: Set<Part>
  /** The number of posts at which it is looked at which of them nobody waits for any more, where it was folded. */
  sweepAt?: number
  /** The number of folded alerts that nobody waited for. */
  unattended: number
  /** The context of the latest of its posts. */
  readonly context: Context.Context<never>
  /** The entries in the ledger of folded alerts that nobody waits for. */
  taken: Array<Entry>
  /** How many more there were, of which no entry is kept, and the ledger of one of them. */
  more?: { readonly count: number; readonly ledger: Ledger }
  readonly since: number
  /** Set while it is being sent. */
  fiber?: Fiber.Fiber<void, AlerterError>
  stamp?: Stamp | undefined
  /** Why the last attempt failed. */
  error?: AlerterError
}

/** Returns whether an alert has a post that was not withdrawn. */
export const isAwaited = ({ parts, unattended }: Item): boolean => parts.size > 0 || unattended > 0

/** Notes when an attempt has ended. */
export const ended = (item: Item, now: number): void => {
  if (item.stamp !== undefined) item.stamp.at = now
  item.stamp = undefined
}
