/** Shortens alerts until the message that a channel makes of them is small enough. */
import { identity } from "effect/Function"
import type { Alert, AlertInput, Field } from "../../../Alert.ts"
import { mapSource } from "../../../internal/model/alertSource.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"

/** Counts the bytes of a text inside a JSON document: UTF-8, escapes included. */
export const jsonBytes: Size = (text) => bytes(JSON.stringify(text)) - 2

// a cast, since `with` forgets that the alert has a time, which does not change here
const changed = <A extends Alert>(alert: A, changes: Omit<Partial<AlertInput>, "at">): A => alert.with(changes) as A

// Longer names and keys say no more to anybody, and would leave no room for the rest.
const maxName = 1000
const maxPath = 32

/** Shortens a path to its beginning and its end, between which the omitted names are counted. */
const shortPath = (words: Words) => (path: ReadonlyArray<string>): ReadonlyArray<string> =>
  path.length <= maxPath
    ? path
    : [...path.slice(0, maxPath / 2 - 1), words.moreOfPath(path.length - maxPath + 1), ...path.slice(-maxPath / 2)]

/** Cuts a key, and ends it with a hash of all of it: keys that differ stay different. */
const shortKey = (key: string | undefined): string | undefined => {
  if (key === undefined || key.length <= maxName) return key?.toWellFormed()
  // FNV-1a, of 32 bits each, with two different bases
  let [a, b] = [0x811c9dc5, 0x01000193]
  for (let i = 0; i < key.length; i++) {
    a = Math.imul(a ^ key.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ key.charCodeAt(i), 0x01000193) + i | 0
  }
  const hash = [a, b].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("")
  return `${key.slice(0, maxName - hash.length - 1).toWellFormed()}#${hash}`
}

const name = (text: string): string => fitEnd(oneLine(text), maxName)

/** Removes what no channel shows: control characters, and line ends in titles, names and tags. */
const tidy = <A extends Alert>(alert: A, words: Words): A =>
  changed(alert, {
    title: oneLine(alert.title),
    body: alert.body === undefined ? undefined : clean(alert.body),
    fields: alert.fields.map(tidyField),
    detail: alert.detail === undefined ? undefined : clean(alert.detail),
    dedupeKey: shortKey(alert.dedupeKey),
    idempotencyKey: shortKey(alert.idempotencyKey),
    url: alert.url === undefined ? undefined : clean(alert.url),
    actions: alert.actions.map(({ label, url }) => ({ label: name(label), url: clean(url) })),
    tags: alert.tags.map(name),
    source: alert.source === undefined ? undefined : mapSource(alert.source, name, shortPath(words))
  })

const tidyField = ({ name, value }: Field): Field => ({ name: oneLine(name), value: clean(value) })

/** The length to which each text of a field is cut before fields are left out, in bytes. */
const leastText = 60

const cutField = ({ name, value }: Field, room: number): Field => ({
  name: fitEnd(name, room, jsonBytes),
  value: fitMiddle(value, room, jsonBytes)
})

/**
 * Returns as many fields as may have room, and at least one more if that is not all of them. Otherwise a million fields
 * would be rendered again for each attempt to fit them.
 */
const fieldsWithin = (all: ReadonlyArray<Field>, limit: number, maxFields: number): ReadonlyArray<Field> => {
  const fields = all.length > maxFields ? all.slice(0, maxFields - 1) : all
  let taken = 0
  const end = fields.findIndex((field) => {
    const { name, value } = cutField(tidyField(field), leastText)
    // at least quotes or a line end, a colon and a comma
    taken += jsonBytes(name) + jsonBytes(value) + 4
    return taken > limit
  })
  return end < 0 ? fields : fields.slice(0, end + 1)
}

interface Part {
  /** The part is cut to no less than this before the next part is cut. */
  readonly least: number
  /** Cuts the part to `room`: bytes of each text, or the number of items. `omitted` fields are not in the alert. */
  readonly cut: <A extends Alert>(alert: A, room: number, omitted: number, words: Words) => A
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

/** Leaves out all fields but the first, and says how many those are. */
const cutFields: Part["cut"] = (alert, room, omitted, words) => {
  const { fields } = alert
  if (fields.length + omitted <= room) return alert
  const more = fields.length - room + omitted
  return changed(alert, { fields: [...fields.slice(0, room), { name: "…", value: words.moreFields(more) }] })
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
    least: leastText,
    start: ({ fields }, spare) => share(fields.flatMap(({ name, value }) => [name, value]), spare),
    cut: (alert, room) => changed(alert, { fields: alert.fields.map((field) => cutField(field, room)) })
  },
  { least: 0, start: ({ fields }) => fields.length, cut: cutFields },
  {
    least: 0,
    start: ({ actions }) => actions.length,
    cut: (alert, room) => changed(alert, { actions: alert.actions.slice(0, room) })
  },
  {
    least: 0,
    // an address that is cut would lead elsewhere
    cut: (alert, room) =>
      alert.url !== undefined && jsonBytes(alert.url) > room ? changed(alert, { url: undefined }) : alert
  },
  {
    least: 0,
    start: ({ tags }) => tags.length,
    cut: (alert, room) => changed(alert, { tags: alert.tags.slice(0, room) })
  },
  { least: 60, cut: (alert, room) => changed(alert, { title: fitEnd(alert.title, room, jsonBytes) }) }
]

const numberOfFields = parts.findIndex(({ cut }) => cut === cutFields)

/** The ways in which a channel differs. */
interface FitOptions {
  /** Whether `size` counts all fields. True unless set. */
  readonly countsFields?: boolean | undefined
  /** The most fields that the channel shows. */
  readonly maxFields?: number | undefined
}

/**
 * Shortens an alert until its `size` is within the limit: first attachments are left out, then the detail is cut, the
 * body, the values of fields, the fields, the actions, the address, the tags, and last the title. Returns `undefined`
 * if that is not enough.
 *
 * `size` has to count all fields. A function of the user's that shows some of them is no such `size`: then
 * `countsFields` is false, and fields are omitted only where nothing else is left to cut.
 */
export const fitAlert = <A extends Alert>(
  input: A,
  limit: number,
  size: (alert: A) => number,
  words: Words,
  { countsFields = true, maxFields = Infinity }: FitOptions = {}
): A | undefined => {
  const { fields } = input
  const within = countsFields ? fieldsWithin(fields, limit, maxFields) : fields
  const omitted = fields.length - within.length
  let alert = tidy(omitted === 0 ? input : changed(input, { fields: within }), words)
  /** Adds the note of omitted fields, which is there once the number of fields is cut. */
  const noted = (alert: A): A => omitted === 0 ? alert : cutFields(alert, within.length, omitted, words)
  if (size(noted(alert)) <= limit) return noted(alert)
  for (const [index, { cut, least, start }] of parts.entries()) {
    const shown = index < numberOfFields ? noted : identity<A>
    const cutTo = (room: number): A => cut(alert, room, omitted, words)
    const smallest = cutTo(least)
    if (size(shown(smallest)) > limit) {
      alert = smallest
      continue
    }
    const without = size(shown(cutTo(0)))
    const spare = limit - without
    let room = start === undefined ? spare : start(alert, spare)
    while (room > least) {
      const smaller = shown(cutTo(room))
      const excess = size(smaller) - limit
      if (excess <= 0) return smaller
      // reduced in proportion: a text may be shown twice, and a field takes more than its texts
      room = Math.floor(room * Math.min(0.99, spare / (spare + excess)))
    }
    return shown(smallest)
  }
  return undefined
}

/** Returns an alert with nothing but its title and its time, in place of one that can't be shortened enough. */
export const bare = <A extends Alert>(alert: A): A =>
  changed(alert, { body: undefined, detail: undefined, fields: [], actions: [], url: undefined, tags: [] })

/** Returns the JSON of the value that `write` makes of the alert, in at most `limit` bytes. */
export const fitJson = <A extends Alert>(
  alert: A,
  limit: number,
  write: (alert: A) => unknown,
  words: Words,
  options?: FitOptions
): string | undefined => {
  const json = (alert: A): string => JSON.stringify(write(alert)) ?? "null"
  const fitting = fitAlert(alert, limit, (alert) => bytes(json(alert)), words, options)
  return fitting === undefined ? undefined : json(fitting)
}
