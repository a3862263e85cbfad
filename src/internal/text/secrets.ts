/** Finds secrets in text, in whichever form it quotes them, and replaces them. */
import { Automaton, type OnFound, type Word } from "./automaton.ts"
import { toBase64 } from "./base64.ts"
import { decode, rangeOf, unwrap, type View, viewOf } from "./decoded.ts"
import { percentDecoded } from "./percentDecoded.ts"

/** Replaces each secret in a text with `<redacted>`. */
export type Scrub = (text: string) => string

const encoder = new TextEncoder()

const replacement = "<redacted>"

const isScheme = /^\w+:\/\/$/

/** The fewest characters of a text that is looked for: a shorter one may be a part of other words. */
export const minLength = 4

/**
 * Forms that are looked for besides: those that no server writes that answers a channel, but programs may, whose texts
 * a guard reads.
 */
export interface Forms {
  /** Returns what else to look for. */
  readonly words: (values: ReadonlyArray<string>) => ReadonlyArray<string>
  /** Returns what else to look for that is as long, and as unlike words, as base64 is. */
  readonly encoded: (values: ReadonlyArray<string>) => ReadonlyArray<string>
  /** Reads text in other ways. Each returns `undefined` where there is nothing to read. */
  readonly readings: ReadonlyArray<(view: View) => View | undefined>
}

const noForms: Forms = { words: () => [], encoded: () => [], readings: [] }

/** How many layers of encodings are decoded: a URL in a query in JSON in a log line in JSON has four. */
const maxLayers = 4

/**
 * Values that must not be shown, and the search for them. Values may be added at any time.
 *
 * **Details**
 *
 * A value is found as it is, escaped as in JSON, percent-encoded, with HTML entities, with colours of a terminal in it,
 * in several of these one inside the other, in base64 at any alignment, wrapped over lines, and cut: a beginning of it
 * where the text ends or an ellipsis follows, and its end likewise. Of a URL its path and password, and the parts of it
 * that look like identifiers, are looked for, too: a server may quote them alone. What looks like an identifier is also
 * found in capitals, in small letters and as hexadecimal digits. The time is linear in the text.
 */
export class Secrets {
  readonly #values = new Set<string>()
  readonly #forms: Forms
  #search: ((view: View, onFound: OnFound) => void) | undefined

  constructor(values: Iterable<string> = [], forms = noForms) {
    this.#forms = forms
    this.add(values)
  }

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** How many values it looks for. */
  get size(): number {
    return this.#values.size
  }

  /** Adds values. One with less than {@link minLength} characters is not looked for. */
  add(values: Iterable<string>): void {
    for (const given of values) {
      // without the line end that a file or a variable may have left at its end
      const value = given.trim()
      if (value.length < minLength || replacement.includes(value) || this.#values.has(value)) continue
      // the beginning of an address, whose variable is empty: it would be found in all others
      if (isScheme.test(value)) continue
      this.#values.add(value)
      this.#search = undefined
    }
  }

  /** Replaces each value in a text with `<redacted>`. */
  readonly scrub: Scrub = (text) => {
    if (this.#values.size === 0 || text.length < minLength) return text
    const search = this.#search ??= searchFor(this.#values, this.#forms)
    const ranges: Array<readonly [start: number, end: number]> = []
    const { readings } = this.#forms
    const look = (from: View, inside: boolean): void => {
      let view: View | undefined = from
      for (let layer = 0; view !== undefined && layer <= maxLayers; layer++) {
        search(view, (start, end) => ranges.push([start, end]))
        for (const reading of inside ? [] : readings) {
          const read = reading(view)
          if (read !== undefined) look(read, true)
        }
        view = decode(view)
      }
    }
    look(viewOf(text), false)
    return ranges.length === 0 ? text : replaced(text, ranges)
  }
}

/** Returns a function that replaces values in a text, as {@link Secrets} does. */
export const scrubber = (values: ReadonlyArray<string>): Scrub => new Secrets(values).scrub

/** Replaces ranges. Of those that overlap, one replacement stands for all. */
const replaced = (text: string, ranges: Array<readonly [start: number, end: number]>): string => {
  ranges.sort(([a], [b]) => a - b)
  let scrubbed = ""
  let at = 0
  let covered = 0
  for (const [start, end] of ranges) {
    if (start >= covered) scrubbed += text.slice(at, start) + replacement
    covered = Math.max(covered, end)
    at = covered
  }
  return scrubbed + text.slice(at)
}

// -----------------------------------------------------------------------------
// the search
// -----------------------------------------------------------------------------

/** Returns the search for values in a view. It finds ranges of the original text. */
const searchFor = (values: Iterable<string>, forms: Forms): (view: View, onFound: OnFound) => void => {
  const found = [...values].flatMap((value) => [value, ...partsOf(value), ...linesOf(value)])
  const parts = [...new Set([...found, ...forms.words(found)].flatMap(casesOf))]
  const whole = unique(parts.flatMap((part) => {
    const limits = limitsOf(part)
    return formsOf(part).map(({ units }): Word => ({ units, ...limits }))
  }))
  const encoded = [...new Set(found.flatMap(writtenOf))]
    .flatMap((text) => base64Of(encoder.encode(text)))
    .concat(forms.encoded(found))
    .map((text): Word => ({ units: viewOf(text).units, ...base64Limits }))
  const bytes = parts.filter(looksRandom).flatMap((part) => hexOf(encoder.encode(part)))
    .map((text): Word => ({ units: viewOf(text).units, ...hexLimits }))
  const automata = [new Automaton([...whole, ...encoded, ...bytes], false), new Automaton(whole, true)]
  const hasSpaces = parts.some((part) => /\s/.test(part))
  const search = (view: View, onFound: OnFound): void => {
    for (const automaton of automata) {
      automaton.search(view.units, (start, end) => onFound(...rangeOf(view, start, end)))
    }
  }
  return (view, onFound) => {
    search(view, onFound)
    for (const space of hasSpaces ? [false, true] : [false]) {
      const joined = unwrap(view, space)
      // a text of one line
      if (joined === view) return
      search(joined, onFound)
    }
  }
}

/** The beginning of a URL in base64, which is no secret, is as long. */
const base64Limits = { marked: 16, unmarked: 16 }

/** As many bytes as in base64. */
const hexLimits = { marked: 24, unmarked: 24 }

const unique = (words: ReadonlyArray<Word>): ReadonlyArray<Word> => [
  ...new Map(words.filter(({ units }) => units.length >= minLength).map((word) => [word.units.join(), word])).values()
]

/** Returns a value as the views of a text show it: decoded, and with its lines joined. */
const formsOf = (value: string): ReadonlyArray<View> => {
  const forms: Array<View> = []
  let form: View | undefined = viewOf(value)
  for (let layer = 0; form !== undefined && layer <= maxLayers; layer++) {
    const joined = unwrap(form, false)
    forms.push(form, ...(joined === form ? [] : [joined, unwrap(form, true)]))
    form = decode(form)
  }
  return forms
}

/** Returns a value with its letters in one case, too, unless it may be a word: names of hosts and of headers have one. */
const casesOf = (value: string): ReadonlyArray<string> =>
  looksRandom(value) ? [value, value.toLowerCase(), value.toUpperCase()] : [value]

/** Returns bytes as hexadecimal digits, in both cases, and as `inspect` of Node shows a buffer. */
export const hexOf = (bytes: Uint8Array): ReadonlyArray<string> => {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
  const hex = digits.join("")
  return [hex, hex.toUpperCase(), digits.join(" ")]
}

/** Returns how much of the beginning of a value must be left where it was cut. */
const limitsOf = (value: string): Pick<Word, "marked" | "unmarked"> => {
  const { length } = value
  // the scheme and the host of a URL are no secret
  const [, scheme = "", authority = ""] = /^([a-z][a-z0-9+.-]{0,30}:\/\/)([^/?#]*)/i.exec(value) ?? []
  const open = scheme === "" ? 0 : scheme.length + (authority.includes("@") ? 0 : authority.length + 1)
  return {
    marked: open + Math.min(8, Math.max(minLength, Math.ceil(length * 0.6))),
    unmarked: open + Math.min(8, Math.max(6, Math.ceil(length * 0.75)))
  }
}

/**
 * Returns a value as it is written before base64 is made of it: as it is, in JSON (a key file, the part of a JWT), and
 * percent-encoded (the name and the password of OAuth, https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1).
 */
const writtenOf = (value: string): ReadonlyArray<string> => [
  ...new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())])
]

/**
 * Returns what bytes are as part of a longer text in base64, once for each of the three places where it may begin in a
 * group of three bytes, without the characters that depend on its neighbours.
 */
export const base64Of = (bytes: Uint8Array): ReadonlyArray<string> => {
  const texts = [0, 1, 2].map((before) => {
    const shifted = new Uint8Array(before + bytes.length)
    shifted.set(bytes, before)
    return toBase64(shifted).slice(Math.ceil((before * 4) / 3), Math.floor((shifted.length * 4) / 3))
  })
  const alone = toBase64(bytes).replaceAll("=", "")
  return [alone, ...texts]
    .filter((text) => text.length >= 6)
    .flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")])
}

// -----------------------------------------------------------------------------
// parts of values
// -----------------------------------------------------------------------------

/**
 * Returns the lines of a value that look like identifiers: a program may log or print them one by one, and those that
 * are passed on one by one would not be found together.
 */
const linesOf = (value: string): ReadonlyArray<string> =>
  /[\r\n]/.test(value)
    ? value.split(/[\r\n]/).map((line) => line.trim()).filter(looksRandom)
    : []

const partsOf = (secret: string): ReadonlyArray<string> => {
  const url = URL.parse(secret)
  if (url === null || url.host === "") return looksRandom(secret) ? secret.split(":").filter(looksRandom) : []
  const path = url.pathname + url.search
  // not decoded, since decoding would turn a `+` into a space
  const values = url.search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1))
  const inside = [...url.pathname.split("/"), ...values, ...url.searchParams.values()].filter(looksRandom)
  return [...[path, url.pathname].filter((path) => !isWords(path)), url.password, ...inside]
    .flatMap((part) => [part, percentDecoded(part)])
}

/**
 * Whether a part of a URL looks like an identifier. Words such as "services" or "data-platform-alerts" do not, since
 * error messages may contain them; nor do dates, such as the version of the API in a URL of Teams.
 */
const looksRandom = (part: string): boolean =>
  (part.length >= 16 || (part.length >= 8 && /\d/.test(part))) && !/^\d{4}-\d{2}-\d{2}$/.test(part) &&
  !/^[a-z]{1,15}(?:[-_][a-z]{1,15}){1,7}(?:-\d{1,3})?$/.test(part)

/** Whether a path consists of words alone, such as "/api/alerts", and so is no secret. */
const isWords = (path: string): boolean => /^[/a-z_-]{0,31}$/.test(path)
