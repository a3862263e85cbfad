/** Shortens alerts until the message that a channel makes of them is small enough. */
import type { Alert, AlertInput } from "../../../Alert.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"

/** Counts the bytes of a text inside a JSON document: UTF-8, escapes included. */
export const jsonBytes: Size = (text) => bytes(JSON.stringify(text)) - 2

// a cast, since `with` forgets that the alert has a time, which does not change here
const changed = <A extends Alert>(alert: A, changes: Omit<Partial<AlertInput>, "at">): A => alert.with(changes) as A

/** Removes what no channel shows: control characters, and line ends in titles, names and tags. */
const tidy = <A extends Alert>(alert: A): A =>
  changed(alert, {
    title: oneLine(alert.title),
    body: alert.body === undefined ? undefined : clean(alert.body),
    fields: alert.fields.map(({ name, value }) => ({ name: oneLine(name), value: clean(value) })),
    detail: alert.detail === undefined ? undefined : clean(alert.detail),
    dedupeKey: alert.dedupeKey?.toWellFormed(),
    idempotencyKey: alert.idempotencyKey?.toWellFormed(),
    tags: alert.tags.map(oneLine),
    source: alert.source === undefined ? undefined : {
      ...alert.source,
      pipeline: oneLine(alert.source.pipeline),
      runId: oneLine(alert.source.runId),
      runName: oneLine(alert.source.runName),
      stepPath: alert.source.stepPath.map(oneLine)
    }
  })

interface Part {
  /** The part is cut to no less than this before the next part is cut. */
  readonly least: number
  /** Cuts the part to `room`: bytes of each text, or the number of items. */
  readonly cut: <A extends Alert>(alert: A, room: number) => A
  /** Estimates, not too low, the `room` that fills `spare` bytes. `spare` itself unless set. */
  readonly start?: (alert: Alert, spare: number) => number
}

/** Returns how long each text may be, so that all together have at most `total` bytes. */
const share = (texts: ReadonlyArray<string>, total: number): number => {
  const sizes = texts.map(jsonBytes).toSorted((a, b) => a - b)
  let left = total
  for (const [index, size] of sizes.entries()) {
    const equal = Math.floor(left / (sizes.length - index))
    if (size > equal) return equal
    left -= size
  }
  return total
}

/** The parts of an alert, in the order in which they are cut. */
const parts: ReadonlyArray<Part> = [
  {
    least: 0,
    start: ({ attachments }) => attachments.length,
    cut: (alert, room) => changed(alert, { attachments: alert.attachments.slice(0, room) })
  },
  {
    least: 300,
    cut: (alert, room) =>
      alert.detail === undefined ? alert : changed(alert, { detail: fitMiddle(alert.detail, room, jsonBytes) })
  },
  {
    least: 300,
    cut: (alert, room) =>
      alert.body === undefined ? alert : changed(alert, { body: fitMiddle(alert.body, room, jsonBytes) })
  },
  {
    least: 60,
    start: ({ fields }, spare) => share(fields.flatMap(({ name, value }) => [name, value]), spare),
    cut: (alert, room) =>
      changed(alert, {
        fields: alert.fields.map(({ name, value }) => ({
          name: fitEnd(name, room, jsonBytes),
          value: fitMiddle(value, room, jsonBytes)
        }))
      })
  },
  {
    least: 0,
    start: ({ fields }) => fields.length,
    cut: (alert, room) => {
      const { fields } = alert
      if (fields.length <= room) return alert
      return changed(alert, {
        fields: [...fields.slice(0, room), { name: "…", value: `and ${fields.length - room} more` }]
      })
    }
  },
  {
    least: 0,
    start: ({ tags }) => tags.length,
    cut: (alert, room) => changed(alert, { tags: alert.tags.slice(0, room) })
  },
  { least: 60, cut: (alert, room) => changed(alert, { title: fitEnd(alert.title, room, jsonBytes) }) }
]

/**
 * Shortens an alert until its `size` is within the limit: first attachments are left out, then the detail is cut, the
 * body, the values of fields, the fields, the tags, and last the title. Returns `undefined` if that is not enough.
 */
export const fitAlert = <A extends Alert>(
  input: A,
  limit: number,
  size: (alert: A) => number
): A | undefined => {
  let alert = tidy(input)
  if (size(alert) <= limit) return alert
  for (const { cut, least, start } of parts) {
    const smallest = cut(alert, least)
    if (size(smallest) > limit) {
      alert = smallest
      continue
    }
    const without = size(cut(alert, 0))
    const spare = limit - without
    let room = start === undefined ? spare : start(alert, spare)
    while (room > least) {
      const smaller = cut(alert, room)
      const excess = size(smaller) - limit
      if (excess <= 0) return smaller
      // reduced in proportion: a text may be shown twice, and a field takes more than its texts
      room = Math.floor(room * Math.min(0.99, spare / (spare + excess)))
    }
    return smallest
  }
  return undefined
}

/** Returns the JSON of the value that `write` makes of the alert, in at most `limit` bytes. */
export const fitJson = <A extends Alert>(
  alert: A,
  limit: number,
  write: (alert: A) => unknown
): string | undefined => {
  const json = (alert: A): string => JSON.stringify(write(alert)) ?? "null"
  const fitting = fitAlert(alert, limit, (alert) => bytes(json(alert)))
  return fitting === undefined ? undefined : json(fitting)
}
