/**
 * The book of open failures: those that people have been told of and that have not recovered, and who has acknowledged
 * them. All policies with one `Store`, or with one service `Acknowledgements`, share a book.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { short } from "../../../internal/alerts/digest.ts"
import { SeverityJson } from "../../../internal/alerts/json.ts"
import { escalatedTag, isNotice } from "../../../internal/alerts/notices.ts"
import { worst } from "../../../internal/model/severity.ts"
import { clean, fitEnd } from "../../../internal/text/fit.ts"
import type { Store } from "../../Store.ts"
import { Millis, remember } from "../entries.ts"
import { inMemory, type State } from "../state/state.ts"

/** The acknowledgement of a failure. */
export const Acknowledged = Schema.Struct({
  by: Schema.String,
  at: Millis,
  comment: Schema.optionalKey(Schema.String)
})

/** @internal */
export type Acknowledged = typeof Acknowledged.Type

/** A question by which people can acknowledge a failure. */
const Asked = Schema.Struct({
  /** By which any process finds the question again, once it was posted. */
  handle: Schema.optionalKey(Schema.String),
  /** Whether no answer is expected any more. */
  done: Schema.optionalKey(Schema.Boolean),
  /** Until when a process reserves it, in order to post it. */
  claimed: Schema.optionalKey(Millis),
  /** The name of that process. */
  by: Schema.optionalKey(Schema.String)
})

/** @internal */
export type Asked = typeof Asked.Type

const Entry = Schema.Struct({
  title: Schema.String,
  severity: SeverityJson,
  /** When the failure began. */
  since: Millis,
  /** How many alerts have reported it. */
  failures: Schema.Natural,
  /** How often people have been told, with reminders and escalations. */
  told: Schema.Natural,
  /** The post that was counted last, which several policies may see. */
  post: Schema.String,
  acknowledged: Schema.optionalKey(Acknowledged),
  asked: Schema.optionalKey(Asked)
})

/** The entry of one failure. */
export type Entry = typeof Entry.Type

/** @internal */
export type Entries = ReadonlyMap<string, Entry>

/** An alert about a failure. */
interface News {
  readonly title: string
  readonly since: number
  /** Whether people were shown it, and not just had it counted. */
  readonly isShown: boolean
}

/** A book of open failures, by their keys. */
export interface Book {
  readonly entries: Effect.Effect<Entries>
  /** Notes that people have been told of a failure, for the first time or again. */
  readonly told: (key: string, alert: Alert, news: News) => Effect.Effect<Entry>
  /** Removes a failure that has recovered. Returns its entry. */
  readonly close: (key: string) => Effect.Effect<Entry | undefined>
  /** Acknowledges failures that nobody has acknowledged before. */
  readonly acknowledge: (keys: ReadonlyArray<string>, acknowledged: Acknowledged) => Effect.Effect<void>
  /** Changes the question of a failure. `undefined` leaves it as it is. Returns whether the store has the change. */
  readonly ask: (key: string, f: (asked: Asked | undefined) => Asked | undefined) => Effect.Effect<boolean>
  /** Retries writes that failed. */
  readonly save: Effect.Effect<unknown>
  /** Whether other processes see the book. */
  readonly isStored: boolean
  /** Calls back until the scope closes when a failure was opened, acknowledged or closed in this process. */
  readonly onChange: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/** The longest name and comment that are kept. */
const maxName = 100
const maxComment = 2000

/** Returns an acknowledgement as alerts can show it: with a name on one line, and texts of limited length. */
const bounded = ({ at, by, comment = "" }: Acknowledged): Acknowledged => {
  const text = fitEnd(clean(comment).trim(), maxComment)
  return { by: short(by, maxName) || "somebody", at, ...(text === "" ? {} : { comment: text }) }
}

const of = (state: State<Entry>, isStored: boolean): Book => {
  const listeners = new Set<() => void>()
  const changed = (): void => listeners.forEach((listener) => listener())
  return {
    onChange: (listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      )),
    isStored,
    entries: state.modify((entries) => new Map(entries)),
    told: (key, alert, { isShown, since, title }) =>
      state.modify((entries) => {
        const before = entries.get(key)
        const post = short(alert.idempotencyKey ?? `${alert.at?.epochMilliseconds ?? ""} ${alert.title}`, 300)
        if (before?.post === post) return before
        const { acknowledged, asked, failures = 0, told = 0 } = before ?? {}
        const isAgain = isNotice(alert) || alert.tags.includes(escalatedTag)
        const entry: Entry = {
          title: isAgain && before !== undefined ? before.title : short(title, 300),
          severity: before === undefined ? alert.severity : worst(before.severity, alert.severity),
          since: Math.min(before?.since ?? since, since),
          failures: failures + (isAgain ? 0 : 1),
          told: told + (isShown ? 1 : 0),
          post,
          ...(acknowledged && { acknowledged }),
          ...(asked && { asked })
        }
        remember(entries, key, entry)
        if (before === undefined) changed()
        return entry
      }),
    close: (key) =>
      state.modify((entries) => {
        const entry = entries.get(key)
        if (entries.delete(key)) changed()
        return entry
      }),
    ask: (key, f) =>
      Effect.map(
        state.commit((entries) => {
          const entry = entries.get(key)
          const asked = entry && f(entry.asked)
          if (entry === undefined || asked === undefined) return false
          entries.set(key, { ...entry, asked })
          return true
        }),
        (isChanged) => isChanged === true
      ),
    acknowledge: (keys, given) =>
      Effect.map(
        state.modify((entries) => {
          const acknowledged = bounded(given)
          for (const key of keys) {
            const entry = entries.get(key)
            if (entry !== undefined && entry.acknowledged === undefined) entries.set(key, { ...entry, acknowledged })
          }
        }),
        changed
      ),
    save: state.unsaved
  }
}

/** Makes a book that ends with the process. */
export const inProcess = (): Book => of(inMemory(), false)

const books = new WeakMap<object, Book>()

/** Returns the book of a store: one for all who use it in this process, so that they learn of each other's changes. */
export const ofStore = (store: Store.Shape): Book => {
  const known = books.get(store)
  if (known !== undefined) return known
  const made = of(store.state("effect-epilogue/acknowledgements", Entry), true)
  books.set(store, made)
  return made
}
