/** Checks, without the code that is tested, that no text is obeyed once it is made printable. */
import * as assert from "node:assert/strict"
import { fit } from "../../src/internal/text/columns.ts"
import { clean, oneLine } from "../../src/internal/text/fit.ts"
import {
  printable,
  printableBlock,
  printableJson,
  printableLine,
  printableStyled,
  withoutCommands
} from "../../src/internal/text/printable.ts"

/** Looks for what a terminal or a log would obey, apart from `allowed`, without the code that is tested. */
const obeyed = (text: string, allowed: ReadonlySet<number> = new Set()): ReadonlyArray<string> =>
  [...text].filter((character) => {
    const code = character.codePointAt(0)!
    if (allowed.has(code)) return false
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xdfff) ||
      [0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0xfeff].includes(code) ||
      (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
  })

/** Pieces of which hostile texts are made. */
export const pieces: ReadonlyArray<string> = [
  ..."\u0000\u0007\b\t\n\v\f\r\u001b\u007f\u0080\u009b\u009d\u00ad\u061c\u200b\u200c\u200d\u200e\u2028\u202e\u2060\u2066\ufe0f\ufeff",
  "\ud800",
  "\udc00",
  "\u001b[",
  "31m",
  "\u001b[0m",
  "\u001b]52;c;",
  "[2J",
  "::",
  ":",
  " ",
  "##[",
  "#",
  "error::",
  "a",
  "क",
  "👩",
  "م",
  "\"",
  "\\",
  "%0A",
  "\u{e0041}"
]

/** Asserts that neither a terminal nor a log nor a channel would obey anything in a text. */
export const assertPrintable = (text: string): void => {
  const lines = new Set([10])
  assert.deepEqual(obeyed(printableLine(text)), [])
  assert.deepEqual(obeyed(printable(text), new Set([9, 10])), [])
  assert.deepEqual(obeyed(printableBlock(text), new Set([9, 10])), [])
  assert.deepEqual(obeyed(clean(text), new Set([9, 10])), [])
  assert.deepEqual(obeyed(oneLine(text), new Set([9])), [])
  assert.deepEqual(obeyed(fit([[text, "plain"]], Infinity, false).text), [])
  // oxlint-disable-next-line no-control-regex -- the colours that stay
  assert.deepEqual(obeyed(printableStyled(text).replace(/\u001b\[[\d;:]*m/g, ""), new Set([9, 10])), [])
  const json = JSON.stringify({ [text]: text })
  assert.deepEqual(obeyed(printableJson(json), lines), [])
  assert.deepEqual(JSON.parse(printableJson(json)), JSON.parse(json))
  assert.equal(printable(printable(text)), printable(text))
  for (const made of [printableLine(text), printable(text), printableStyled(text), printableBlock(text)]) {
    const log = withoutCommands(made)
    assert.ok(log.split(/[\r\n]/).every((line) => !line.trimStart().startsWith("::") && !line.includes("##[")), log)
  }
}
