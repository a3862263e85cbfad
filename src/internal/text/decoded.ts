/**
 * Reads text as it was before it was encoded: JSON and other backslash escapes, percent-encoding, HTML entities,
 * colours of a terminal, lines that were wrapped. Each UTF-16 unit that is read keeps its place in the original text,
 * so that what is found in the decoded text can be replaced in the original.
 */

/** UTF-16 units, each with the range of the original text that it was read from. */
export interface View {
  readonly units: Uint16Array
  /** Where each unit begins in the original text. `undefined` while the units are those of the text itself. */
  readonly from: Int32Array | undefined
  /** Where each unit ends in the original text. */
  readonly to: Int32Array | undefined
}

/** @internal */
export const viewOf = (text: string): View => {
  const units = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
  return { units, from: undefined, to: undefined }
}

/** Returns the text of a view. */
export const textOf = ({ units }: View): string => {
  let text = ""
  // in pieces, since a call takes no more than some ten thousand arguments
  for (let i = 0; i < units.length; i += 8192) text += String.fromCharCode(...units.subarray(i, i + 8192))
  return text
}

/** Returns the range of the original text that the units from `start` up to `end` were read from. */
export const rangeOf = ({ from, to }: View, start: number, end: number): readonly [start: number, end: number] => [
  from === undefined ? start : from[start]!,
  to === undefined ? end : to[end - 1]!
]

/** Collects the units of a view. A unit that is read never comes from less than one unit of the source. */
class Writer {
  private readonly source: View
  private readonly units: Uint16Array
  private readonly from: Int32Array
  private readonly to: Int32Array
  private length = 0

  constructor(source: View) {
    this.source = source
    this.units = new Uint16Array(source.units.length)
    this.from = new Int32Array(source.units.length)
    this.to = new Int32Array(source.units.length)
  }

  /** Adds a unit that was read from the units of the source from `start` up to `end`. */
  put(unit: number, start: number, end: number): void {
    const { from, to } = this.source
    this.units[this.length] = unit
    this.from[this.length] = from === undefined ? start : from[start]!
    this.to[this.length] = to === undefined ? end : to[end - 1]!
    this.length++
  }

  get view(): View {
    const { from, length, to, units } = this
    return { units: units.subarray(0, length), from: from.subarray(0, length), to: to.subarray(0, length) }
  }
}

/** Makes a view of the units that a function puts, each with the range of the source that it was read from. */
export const read = (
  source: View,
  reading: (put: (unit: number, start: number, end: number) => void) => void
): View => {
  const writer = new Writer(source)
  reading((unit, start, end) => writer.put(unit, start, end))
  return writer.view
}

// -----------------------------------------------------------------------------
// encodings
// -----------------------------------------------------------------------------

const backslash = 0x5c
const percent = 0x25
const ampersand = 0x26
const escape = 0x1b

/** The characters with which something encoded begins. */
const beginnings = [backslash, percent, ampersand, escape]

/** Decodes one layer of encodings. Returns `undefined` where there is nothing to decode. */
export const decode = (source: View): View | undefined => {
  const { units } = source
  if (!beginnings.some((unit) => units.includes(unit))) return undefined
  const writer = new Writer(source)
  let changed = false
  let i = 0
  while (i < units.length) {
    const unit = units[i]!
    const colour = unit === escape ? endOfSequence(units, i) : i
    if (colour > i) {
      changed = true
      i = colour
      continue
    }
    const decoded = unit === backslash
      ? escapeAt(units, i)
      : unit === percent
      ? percentAt(units, i)
      : unit === ampersand
      ? entityAt(units, i)
      : undefined
    if (decoded === undefined) {
      writer.put(unit, i, i + 1)
      i++
      continue
    }
    changed = true
    const end = i + decoded.length
    const { code } = decoded
    if (code > 0xffff) {
      writer.put(0xd800 + ((code - 0x10000) >> 10), i, end)
      writer.put(0xdc00 + ((code - 0x10000) & 0x3ff), i, end)
    } else writer.put(code, i, end)
    i = end
  }
  return changed ? writer.view : undefined
}

/**
 * Returns the end of a control sequence, as a program that colours what it has found writes it in the middle of a word
 * (https://ecma-international.org/publications-and-standards/standards/ecma-48/, 5.4); or `at`.
 */
const endOfSequence = (units: Uint16Array, at: number): number => {
  if (units[at + 1] !== 0x5b) return at
  let end = at + 2
  while (units[end]! >= 0x20 && units[end]! <= 0x3f) end++
  return units[end]! >= 0x40 && units[end]! <= 0x7e ? end + 1 : at
}

/** A character, and how many units it was written in. */
interface Decoded {
  readonly code: number
  readonly length: number
}

/** The letters of escapes, each for the code that is 8 more than its place. */
const letters = "btnvfr"

const isPunctuation = (unit: number): boolean =>
  (unit >= 0x20 && unit < 0x30) || (unit > 0x39 && unit < 0x41) || (unit > 0x5a && unit < 0x61) ||
  (unit > 0x7a && unit < 0x7f)

/** An escape of JSON, JavaScript, Markdown or a shell: `\n`, `\/`, `\u002f`, `\x2f`. */
const escapeAt = (units: Uint16Array, at: number): Decoded | undefined => {
  const unit = units[at + 1]
  if (unit === undefined) return undefined
  // a line that is continued on the next
  if (unit === 10 || isPunctuation(unit)) return { code: unit, length: 2 }
  const letter = String.fromCharCode(unit)
  // of JavaScript, and as the library shows what no terminal prints
  if (letter === "u" && units[at + 2] === 0x7b) return bracedAt(units, at)
  const digits = letter === "u" ? 4 : letter === "x" ? 2 : 0
  if (digits > 0) {
    const code = hexAt(units, at + 2, digits)
    return code === undefined ? undefined : { code, length: digits + 2 }
  }
  const place = letters.indexOf(letter)
  return place < 0 ? undefined : { code: place + 8, length: 2 }
}

/** `\u{1b}`. */
const bracedAt = (units: Uint16Array, at: number): Decoded | undefined => {
  for (let digits = 1; digits <= 6; digits++) {
    if (units[at + 3 + digits] !== 0x7d) continue
    const code = hexAt(units, at + 3, digits)
    return code === undefined || code > 0x10ffff ? undefined : { code, length: digits + 4 }
  }
  return undefined
}

/** A character in percent-encoded UTF-8. */
const percentAt = (units: Uint16Array, at: number): Decoded | undefined => {
  const byte = (index: number): number | undefined =>
    units[at + 3 * index] === percent ? hexAt(units, at + 3 * index + 1, 2) : undefined
  const first = byte(0)
  if (first === undefined || (first >= 0x80 && first < 0xc2) || first > 0xf4) return undefined
  if (first < 0x80) return { code: first, length: 3 }
  const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
  let code = first & (0x3f >> more)
  for (let index = 1; index <= more; index++) {
    const next = byte(index)
    if (next === undefined || (next & 0xc0) !== 0x80) return undefined
    code = (code << 6) | (next & 0x3f)
  }
  return code > 0x10ffff ? undefined : { code, length: 3 * (more + 1) }
}

/**
 * The entities that encoders write for characters of ASCII (https://html.spec.whatwg.org/entities.json), each followed by
 * its character. An object would take more room in bundles.
 */
const entities =
  "amp& apos' ast* bsol\\ colon: comma, commat@ dollar$ equals= excl! grave` gt> hyphen- lowbar_ lpar( lt< nbsp\u00a0 num# percnt% period. plus+ quest? quot\" rpar) semi; sol/ Tab\t NewLine\n"
    .split(" ")

/** Longer than any reference that is decoded, so that looking for the end of one takes constant time. */
const longestEntity = 12

const entityAt = (units: Uint16Array, at: number): Decoded | undefined => {
  let end = at + 1
  while (units[end] !== 0x3b) {
    if (end - at > longestEntity || end >= units.length) return undefined
    end++
  }
  const name = String.fromCharCode(...units.subarray(at + 1, end))
  const length = end + 1 - at
  const numeric = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name)
  if (numeric !== null) {
    const code = numeric[1] === undefined ? Number(numeric[2]) : Number.parseInt(numeric[1], 16)
    return code > 0x10ffff ? undefined : { code, length }
  }
  const character = entities.find((entity) => entity.slice(0, -1) === name)?.charCodeAt(name.length)
  return character === undefined ? undefined : { code: character, length }
}

/** Returns the number that so many hexadecimal digits stand for, if they are all there. */
export const hexAt = (units: Uint16Array, at: number, digits: number): number | undefined => {
  let code = 0
  for (let i = at; i < at + digits; i++) {
    const unit = units[i] ?? 0
    const lower = unit | 0x20
    const digit = unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
    if (digit < 0) return undefined
    code = code * 16 + digit
  }
  return code
}

// -----------------------------------------------------------------------------
// wrapped lines
// -----------------------------------------------------------------------------

const isLineEnd = (unit: number | undefined): boolean => unit === 10 || unit === 13

const isSpace = (unit: number | undefined): boolean => unit === 32 || unit === 9 || unit === 0xa0 || isLineEnd(unit)

/**
 * Joins lines: each line end is removed, or replaced by a space where `space` is set, with the white space around it.
 * Parts of a text that `inspect` of Node writes in several lines, as in `'a' +\n 'b'`, are joined, too.
 */
export const unwrap = (source: View, space: boolean): View => {
  const { units } = source
  if (!units.includes(10) && !units.includes(13)) return source
  const writer = new Writer(source)
  let i = 0
  while (i < units.length) {
    const end = isSpace(units[i]) ? endOfSpace(units, i) : endOfConcatenation(units, i)
    if (end === i) {
      writer.put(units[i]!, i, i + 1)
      i++
      continue
    }
    let wrapped = false
    for (let j = i; j < end && !wrapped; j++) wrapped = isLineEnd(units[j])
    if (!wrapped) { for (let j = i; j < end; j++) writer.put(units[j]!, j, j + 1) }
    else if (space) writer.put(32, i, end)
    i = end
  }
  return writer.view
}

const endOfSpace = (units: Uint16Array, at: number): number => {
  let end = at
  while (end < units.length && isSpace(units[end])) end++
  return end
}

/** Returns the end of `' +\n  '` after the opening quote on the next line, or `at` where there is no such thing. */
const endOfConcatenation = (units: Uint16Array, at: number): number => {
  const quote = units[at]
  if (quote !== 0x22 && quote !== 0x27 && quote !== 0x60) return at
  if (units[at + 1] !== 32 || units[at + 2] !== 0x2b || !isLineEnd(units[at + 3])) return at
  const end = endOfSpace(units, at + 3)
  return units[end] === quote ? end + 1 : at
}
