/** Alerts of any size, cut until what a channel makes of them is small enough. */
import type { Alert, AlertInput } from "../../../Alert.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"

/** What a text takes inside a JSON document: bytes of UTF-8, escapes included. */
export const jsonBytes: Size = (text) => bytes(JSON.stringify(text)) - 2

// a cast, since the time is not among what changes here
const changed = <A extends Alert>(alert: A, changes: Omit<Partial<AlertInput>, "at">): A => alert.with(changes) as A

/** Without what no channel shows. */
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
  /** Below this, something else is cut first. */
  readonly least: number
  /** The alert with no more than `room` of this part: bytes of each text, or the number of things. */
  readonly cut: <A extends Alert>(alert: A, room: number) => A
  /** How much `room` fills so many bytes, or rather more. All of them unless set. */
  readonly start?: (alert: Alert, spare: number) => number
}

/** How long each of several texts may be, so that all of them have no more than so many bytes. */
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

/** In the order in which they are cut. */
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
 * The alert, of which enough is left out that its `size` is within the limit: attachments
 * first, then of the detail, of the body, of the fields' values, fields, tags, and of the title
 * last. Undefined where that is not enough.
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
      // in proportion, since a text may be shown twice, and fields have more than their texts
      room = Math.floor(room * Math.min(0.99, spare / (spare + excess)))
    }
    return smallest
  }
  return undefined
}

/** The JSON that `write` makes of the alert, in at most so many bytes. */
export const fitJson = <A extends Alert>(
  alert: A,
  limit: number,
  write: (alert: A) => unknown
): string | undefined => {
  const json = (alert: A): string => JSON.stringify(write(alert)) ?? "null"
  const fitting = fitAlert(alert, limit, (alert) => bytes(json(alert)))
  return fitting === undefined ? undefined : json(fitting)
}
