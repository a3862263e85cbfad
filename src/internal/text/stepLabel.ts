/** Writes the names of steps for people: with their keys, and as paths. */
import * as Hash from "effect/Hash"
import { joinLines } from "./words.ts"

/** The longest key that is kept whole, in UTF-16 code units. */
const maxKey = 200

/** The longest path that is shown whole, in names. */
const maxShown = 20

/**
 * Returns the text of a key. A text that is too long is cut, and ends with the length and a hash of the whole, so that
 * two long keys with the same beginning stay different.
 */
export const keyText = (value: string | number | bigint | boolean): string => {
  const text = String(value).toWellFormed()
  if (text.length <= maxKey) return text
  const hash = (Hash.string(text) >>> 0).toString(36)
  // well-formed again, since the cut may split a surrogate pair
  return `${text.slice(0, maxKey - 20).toWellFormed()}…${text.length}-${hash}`
}

/** Returns the name of a step as it is shown: with its key, as in `fetch-page[7]`. */
export const stepLabel = (name: string, key: string | undefined): string => key === undefined ? name : `${name}[${key}]`

/** The path of a step. `stepLabels` are the names of `stepPath` with their keys. */
export interface Labelled {
  readonly stepPath: ReadonlyArray<string>
  /** `stepPath` unless set. */
  readonly stepLabels?: ReadonlyArray<string> | undefined
}

/** The step or run that something is about. */
interface Subject extends Labelled {
  readonly pipeline: string
}

/** Returns the names of a path with their keys. */
export const labelsOf = ({ stepLabels, stepPath }: Labelled): ReadonlyArray<string> => stepLabels ?? stepPath

interface Place extends Labelled {
  readonly stepKey?: string | undefined
}

interface BriefPlace {
  readonly stepKey?: string
  readonly stepPath: ReadonlyArray<string>
  readonly stepLabels?: ReadonlyArray<string>
}

/** Returns the path and the key of a step, without what says nothing where no step on the path has a key. */
export const placeOf = (
  { stepKey, stepLabels, stepPath }: Place,
  shorten: (path: ReadonlyArray<string>) => ReadonlyArray<string> = (path) => path
): BriefPlace => {
  const isSame = stepLabels === undefined || stepLabels === stepPath ||
    stepLabels.every((label, i) => label === stepPath[i])
  return {
    ...(stepKey === undefined ? {} : { stepKey }),
    stepPath: shorten(stepPath),
    ...(isSame ? {} : { stepLabels: shorten(stepLabels) })
  }
}

/** Joins the names of a path. Of a path that nobody would read to its end, only the first and the last are shown. */
export const pathText = (labels: ReadonlyArray<string>, separator: string): string =>
  (labels.length <= maxShown
    ? labels
    : [...labels.slice(0, maxShown / 2 - 1), "…", ...labels.slice(-maxShown / 2)]).join(separator)

/** Returns the name of a step or run in titles of alerts, which have one line, as in `nightly › fetch-page[7]`. */
export const subjectText = ({ pipeline, stepLabels, stepPath }: Subject): string => {
  const labels = labelsOf({ stepLabels, stepPath })
  // a step outside of any pipeline is a run under its own name, which is not repeated
  return joinLines(pathText(stepPath[0] === pipeline ? labels : [pipeline, ...labels], " › "))
}

/**
 * Returns the key that alerts about one step or run share, in this run and in others: pipeline, path and keys. A slash in
 * a name is escaped: the step `a/b` is not the step `b` in `a`, whose success would be told as its recovery.
 */
export const subjectKey = (subject: Subject): string => [subject.pipeline, ...labelsOf(subject)].map(escaped).join("/")

/** Escapes the name in a label, and leaves its key, which is in brackets. */
const escaped = (label: string): string => label.replace(/^[^[]+/, (name) => name.replace(/[\\/]/g, "\\$&"))
