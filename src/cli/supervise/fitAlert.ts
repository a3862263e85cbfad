/** Shortens alerts on their way from a child to its supervisor, which posts them only where the child has died. */
import type { AlertJson } from "../../internal/alerts/json.ts"
import { rank } from "../../internal/model/severity.ts"
import { bytes, fitEnd, fitMiddle } from "../../internal/text/fit.ts"
import { plural } from "../../internal/text/words.ts"

interface Limits {
  readonly body: number
  readonly detail: number
  readonly fields: number
  readonly actions: number
  readonly name: number
  readonly value: number
  readonly tags: number
  readonly key: number
}

const usual: Limits = { body: 3000, detail: 6000, fields: 24, actions: 5, name: 100, value: 400, tags: 20, key: 1024 }
const narrow: Limits = { body: 300, detail: 0, fields: 8, actions: 1, name: 40, value: 100, tags: 10, key: 256 }

const maxTitle = 300

// of the field that says what is left out, and of the name of a key
const spareBytes = 256

const bytesOf = (value: unknown): number => bytes(JSON.stringify(value))

/**
 * Shortens an alert to about `room` bytes of JSON, leaves out its attachments, and says in a field how many other parts it
 * leaves out. With `spare`, it keeps the least that an alert needs: each of its characters may take six bytes.
 */
export const fitAlert = (alert: AlertJson, spare: boolean, room: number): AlertJson => {
  const {
    actions = [],
    attachments: _,
    body,
    combines = [],
    dedupeKey,
    detail,
    fields,
    idempotencyKey,
    recovers = [],
    source,
    tags,
    url,
    ...rest
  } = alert
  const limits = spare ? narrow : usual
  const name = (text: string) => fitEnd(text, limits.name)
  const shown = fields.slice(0, limits.fields)
  // an address that is cut would lead elsewhere
  const fittedActions = actions.filter(({ url }) => url.length <= limits.key).slice(0, limits.actions)
    .map(({ label, url }) => ({ label: name(label), url }))
  const fitted = {
    ...rest,
    title: fitEnd(alert.title, maxTitle),
    fields: shown.map((field) => ({ name: name(field.name), value: fitEnd(field.value, limits.value) })),
    tags: tags.slice(0, limits.tags).map(name),
    ...(body === undefined ? {} : { body: fitEnd(body, limits.body) }),
    ...(detail === undefined || limits.detail === 0 ? {} : { detail: fitMiddle(detail, limits.detail) }),
    ...(url !== undefined && url.length <= limits.key ? { url } : {}),
    ...(fittedActions.length > 0 ? { actions: fittedActions } : {}),
    ...(isKey(dedupeKey, limits) ? { dedupeKey } : {}),
    ...(isKey(idempotencyKey, limits) ? { idempotencyKey } : {}),
    ...(source === undefined ? {} : { source: fitSource(source, spare) })
  }
  const free = room - spareBytes - bytesOf(fitted)
  // an alert has the ones or the others
  const recovered = fitParts(recovers, free)
  const parts = fitParts(combines, free)
  const left = [
    ...(actions.length > fittedActions.length ? [plural(actions.length - fittedActions.length, "action")] : []),
    ...(fields.length > shown.length ? [plural(fields.length - shown.length, "field")] : []),
    ...(combines.length > parts.length
      ? [`${combines.length - parts.length} of the ${combines.length} alerts that this one combines`]
      : []),
    ...(recovers.length > recovered.length
      ? [`${recovers.length - recovered.length} of the ${recovers.length} failures that this one recovers`]
      : [])
  ]
  return {
    ...fitted,
    ...(parts.length === 0 ? {} : { combines: parts }),
    ...(recovered.length === 0 ? {} : { recovers: recovered }),
    ...(left.length === 0 ? {} : { fields: [...fitted.fields, { name: "left out", value: left.join(", ") }] })
  }
}

// a key that is cut would be another one
const isKey = (key: string | undefined, limits: Limits): key is string => key !== undefined && key.length <= limits.key

type Part = NonNullable<AlertJson["combines"]>[number]

/** The largest number of recovered failures that a combined alert keeps. */
const maxRecovered = 4

/** Returns a part of an alert with only what policies look at. */
const fitPart = ({ dedupeKey, recovers = [], severity, source, tags }: Part): Omit<Part, "title"> => ({
  severity,
  fields: [],
  tags: tags.slice(0, narrow.tags).map((tag) => fitEnd(tag, narrow.name)),
  ...(isKey(dedupeKey, narrow) ? { dedupeKey } : {}),
  ...(source === undefined ? {} : { source: fitSource(source, true) }),
  ...(recovers.length === 0
    ? {}
    : { recovers: recovers.slice(0, maxRecovered).map((part) => ({ ...fitPart(part), title: "" })) })
})

/**
 * Returns as many of the parts as take up to `room` bytes. Those come first that differ in what policies look at, so that
 * a route finds each kind of alert, and of these the most severe.
 */
const fitParts = (all: ReadonlyArray<Part>, room: number): ReadonlyArray<Part> => {
  const seen = new Set<string>()
  const small = all.map((alert, index) => ({ index, alert, rank: rank(alert.severity) }))
    .toSorted((a, b) => b.rank - a.rank || a.index - b.index)
    .map(({ alert, index }) => {
      const looked = fitPart(alert)
      const key = JSON.stringify(looked)
      const isNew = !seen.has(key)
      seen.add(key)
      return { index, isNew, alert: { title: fitEnd(alert.title, narrow.value), ...looked } }
    })
  let left = room
  const kept: typeof small = []
  for (const part of [...small.filter(({ isNew }) => isNew), ...small.filter(({ isNew }) => !isNew)]) {
    left -= bytesOf(part.alert) + 1
    if (left < 0) break
    kept.push(part)
  }
  return kept.toSorted((a, b) => a.index - b.index).map(({ alert }) => alert)
}

const fitSource = (source: NonNullable<AlertJson["source"]>, spare: boolean): NonNullable<AlertJson["source"]> => {
  const name = (text: string) => fitEnd(text, spare ? 40 : 200)
  const path = (names: ReadonlyArray<string>) => cutPath(names, name)
  const { pipeline, runId, runName, stepKey, stepLabels, stepPath, ...rest } = source
  return {
    ...rest,
    pipeline: fitEnd(pipeline, 200),
    runId: fitEnd(runId, 200),
    runName: fitEnd(runName, 200),
    stepPath: path(stepPath),
    ...(stepLabels === undefined ? {} : { stepLabels: path(stepLabels) }),
    ...(stepKey === undefined ? {} : { stepKey: name(stepKey) })
  }
}

const maxDepth = 16

/** Shortens a path and its names, always in the same way, so that paths stay comparable. */
export const cutPath = (path: ReadonlyArray<string>, cut: (name: string) => string): ReadonlyArray<string> =>
  (path.length > maxDepth ? [...path.slice(0, maxDepth - 2), "…", path.at(-1)!] : path).map(cut)
