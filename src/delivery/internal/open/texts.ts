/** Makes the alerts about a failure that is open: reminders, escalations, and that it is acknowledged. */
import { Alert } from "../../../Alert.ts"
import type { Telling } from "../../../internal/alerts/digest.ts"
import { isNote, withNote } from "../../../internal/alerts/notes.ts"
import { acknowledgedTag, escalatedTag, reminderTag } from "../../../internal/alerts/notices.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import { withFields } from "../entries.ts"
import { timeIn } from "../hold/count.ts"
import type { Acknowledged } from "./book.ts"
import { idOf } from "./ids.ts"

/** An open failure, as far as texts about it tell. */
export interface Open {
  readonly key: string
  readonly alert: Alert
  readonly since: number
  /** The failure as it waits for a reaction. */
  readonly pending: { readonly from: number }
  /** How often people have been told. */
  readonly told: number
  /** Whether another process can acknowledge it. */
  readonly isStored: boolean
}

/** Returns the failure as news of its own: with its key, and the time of the post. */
const again = ({ alert, key }: Open, idempotencyKey: string) =>
  alert.with({ dedupeKey: key, idempotencyKey, resolves: false, told: [], recovers: [], at: undefined })

/** Returns the alert with how long the failure has been open, and how to acknowledge it. */
const withOpen = (alert: Alert, { isStored, key, since, told }: Open, now: number, { words, zone }: Telling): Alert => {
  const fields = [
    [words.openSince, timeIn(since, zone)],
    [words.failingFor, formatDuration(Math.max(0, now - since), words.duration)],
    [words.told, words.toldTimes(told)],
    ...(isStored ? [[words.toAcknowledge, `epilogue ack ${idOf(key)}`] as const] : [])
  ] as const
  return fields.reduce((alert, [name, value]) => withNote(alert, { kind: "open", name }, value), alert)
}

/** Makes a reminder. `number` is how many there are with this one, `of` how many there will be at most. */
export const reminder = (
  open: Open,
  { isLast, now, number, of, telling }: {
    readonly number: number
    readonly of: number
    readonly isLast: boolean
    readonly now: number
    readonly telling: Telling
  }
): Alert => {
  const { words } = telling
  const alert = again(open, `reminder ${number} ${open.pending.from} ${open.key}`).with({
    title: words.reminderOf(number, open.alert.title),
    tags: [...open.alert.tags, reminderTag]
  })
  return withFields(withOpen(alert, open, now, telling), {
    [words.reminder]: words.reminderNumber(number, of === Infinity ? undefined : of, isLast)
  })
}

/** Makes the alert by which others learn of a failure to which nobody has reacted. */
export const escalation = (
  open: Open,
  { now, telling }: { readonly now: number; readonly telling: Telling }
): Alert => {
  const { fields, notes, tags, title } = open.alert
  const alert = again(open, `escalation ${open.pending.from} ${open.key}`).with({
    // the escalation of an escalation says once that it is one
    title: tags.includes(escalatedTag) ? title : telling.words.escalated(title),
    tags: [...new Set([...tags, escalatedTag])],
    // and how long it has been open
    fields: fields.filter(({ name }) => !isNote(open.alert, name, "open")),
    notes: notes.filter(({ kind }) => kind !== "open")
  })
  return withOpen(alert, open, now, telling)
}

/** Returns what tells one acknowledgement of a failure from that of an earlier one. */
export const acknowledgementId = (key: string, { at, by }: Acknowledged): string => `acknowledged ${at} ${by} ${key}`

/** Makes the alert that says who has acknowledged a failure. It goes where the failure went. */
export const acknowledgement = (
  open: Pick<Open, "alert" | "key" | "since">,
  acknowledged: Acknowledged,
  { words, zone }: Telling
): Alert => {
  const { alert, key, since } = open
  return Alert.make({
    title: words.acknowledgedBy(acknowledged.by, alert.title),
    body: acknowledged.comment,
    severity: "info",
    fields: {
      [words.openSince]: timeIn(since, zone),
      [words.failingFor]: formatDuration(Math.max(0, acknowledged.at - since), words.duration)
    },
    dedupeKey: key,
    idempotencyKey: acknowledgementId(key, acknowledged),
    url: alert.url,
    tags: [acknowledgedTag],
    source: alert.source,
    recovers: [alert]
  })
}
