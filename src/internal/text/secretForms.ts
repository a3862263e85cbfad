/**
 * Forms in which programs print values, beside those that any text may have: as numbers of bytes, in mails, in shell
 * traces, and in base64 of base64.
 */
import { hexAt, read, type View } from "./decoded.ts"
import { base64Of, type Forms, hexOf, minLength } from "./secrets.ts"

/** A longer value would make the search large: its base64 in base64 is looked for in 32 forms. */
const longestTwice = 256

const encoder = new TextEncoder()

const wordsOf = (value: string): ReadonlyArray<string> => [
  // as escapes of bytes, quoted-printable and lists of numbers are read
  ...[charactersOf(encoder.encode(value))].filter((bytes) => bytes !== value),
  // as bytes of UTF-16 are read
  value.split("").join("\0"),
  // in single quotes, as a shell and as SQL and YAML write them
  ...(value.includes("'") ? [value.replaceAll("'", `'\\''`), value.replaceAll("'", "''")] : [])
]

const encodedOf = (value: string): ReadonlyArray<string> => {
  const bytes = encoder.encode(value)
  // UTF-16, as PowerShell takes scripts
  const wide = Uint8Array.from({ length: value.length * 2 }, (_, i) => value.charCodeAt(i >> 1) >> (8 * (i & 1)))
  // without the last byte: so they are among the digits of the other order of bytes, where all characters are of one script
  const wideHex = hexOf(wide.subarray(0, -1))
  return [
    ...wideHex,
    ...[hexOf(bytes), wideHex].flatMap(([, , spaced = ""]) => {
      const hex = spaced.replaceAll(" ", ":")
      return [hex, hex.toUpperCase()]
    }),
    // of a form, as the name and the password of OAuth
    ...base64Of(encoder.encode(new URLSearchParams({ v: value }).toString().slice(2))),
    ...base64Of(wide),
    ...(value.length > longestTwice ? [] : base64Of(bytes).flatMap((text) => base64Of(encoder.encode(text))))
  ]
}

/** Returns text in which each character stands for one byte. */
const charactersOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")

// -----------------------------------------------------------------------------
// readings
// -----------------------------------------------------------------------------

const comma = 0x2c
const equals = 0x3d
const backslash = 0x5c

const digitOf = (unit: number | undefined): number =>
  unit !== undefined && unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : -1

const isHexDigit = (units: Uint16Array, at: number): boolean => hexAt(units, at, 1) !== undefined

const byteAt = (units: Uint16Array, at: number): number => hexAt(units, at, 2) ?? -1

/** Whether a unit may stand between two numbers of a list: white space, a comma, or a part of a key such as `"12":`. */
const isBetween = (unit: number): boolean =>
  unit === 32 || unit === 9 || unit === 10 || unit === 13 || unit === comma || unit === 0x22 || unit === 0x3a

/**
 * Reads lists of bytes as the text that they encode: `[104, 117]`, `{"0":104,"1":117}`, `0x68, 0x75`. All else becomes
 * one unit that is in no text.
 */
const numbers = (source: View): View | undefined => {
  const { units } = source
  // nearly all texts: nothing is made for them
  let between = 0
  for (let i = 1; i < units.length; i++) if (units[i] === comma && isHexDigit(units, i - 1)) between++
  if (between < minLength - 1) return undefined
  return read(source, (put) => {
    let i = 0
    while (i < units.length) {
      const isHex = units[i] === 0x30 && units[i + 1] === 0x78
      let end = isHex ? i + 4 : i
      let byte = isHex ? byteAt(units, i + 2) : 0
      const longest = isHex ? end : i + 4
      while (end < longest && digitOf(units[end]) >= 0) byte = byte * 10 + digitOf(units[end++])
      const isByte = end > i && byte >= 0 && byte <= 255 && !isHexDigit(units, end)
      // a key, as of a list that was written as an object
      const isKey = units[end] === 0x22 && units[end + 1] === 0x3a
      if (isByte && !isKey) put(byte, i, end)
      else if (end === i) {
        end = i + 1
        if (!isBetween(units[i]!)) put(0, i, end)
      } else if (!isKey) put(0, i, end)
      i = end
    }
  })
}

/** Returns the byte of an octal escape, as git and shells write them: `\\303`. */
const octalAt = (units: Uint16Array, at: number): number => {
  const digits = [0, 1, 2].map((i) => digitOf(units[at + i]))
  return digits.every((digit) => digit >= 0 && digit < 8) ? digits[0]! * 64 + digits[1]! * 8 + digits[2]! : -1
}

/** Returns how many units a byte takes that is written as such, or a line end that is no part of the text; or 0. */
const quotedLength = (units: Uint16Array, at: number): number => {
  const unit = units[at]
  if (unit === backslash) return octalAt(units, at + 1) < 0 ? 0 : 4
  if (unit !== equals) return 0
  if (units[at + 1] === 10) return 2
  return (units[at + 1] === 13 && units[at + 2] === 10) || byteAt(units, at + 1) >= 0 ? 3 : 0
}

/**
 * Reads bytes that are written one by one: in quoted-printable text (https://www.rfc-editor.org/rfc/rfc2045#section-6.7),
 * and as octal escapes.
 */
const quotedBytes = (source: View): View | undefined => {
  const { units } = source
  let first = 0
  while (first < units.length && quotedLength(units, first) === 0) first++
  if (first === units.length) return undefined
  return read(source, (put) => {
    let i = 0
    while (i < units.length) {
      const length = quotedLength(units, i)
      const byte = length === 4 ? octalAt(units, i + 1) : length === 3 ? byteAt(units, i + 1) : -1
      if (length === 0) put(units[i]!, i, i + 1)
      else if (byte >= 0) put(byte, i, i + length)
      i += Math.max(1, length)
    }
  })
}

/** The forms that a guard looks for. */
export const programForms: Forms = {
  words: (values) => values.flatMap(wordsOf),
  encoded: (values) => values.flatMap(encodedOf),
  readings: [numbers, quotedBytes]
}
