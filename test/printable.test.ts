import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { clean, oneLine } from "../src/internal/text/fit.ts"
import {
  printable,
  printableBlock,
  printableLine,
  printableStyled,
  withoutCommands
} from "../src/internal/text/printable.ts"
import { isLinear } from "./support/growth.ts"
import { makeIt } from "./support/it.ts"
import { assertPrintable, pieces } from "./support/printed.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

test("a control, invisible or broken character is shown by its code point", () => {
  const shown = {
    "a\u001b]52;c;ZXZpbA==\u0007b": "a\\u{1b}]52;c;ZXZpbA==\\u{7}b",
    "a\u001b[2Jb\u0000c\u007f": "a\\u{1b}[2Jb\\u{0}c\\u{7f}",
    "\u009b31m": "\\u{9b}31m",
    "invoice\u202egpj.exe": "invoice\\u{202e}gpj.exe",
    "\u2066a\u2069\u200e\u200f\u061c": "\\u{2066}a\\u{2069}\\u{200e}\\u{200f}\\u{61c}",
    "ad\u200bmin\u2060\ufeff\u00ad": "ad\\u{200b}min\\u{2060}\\u{feff}\\u{ad}",
    "a\u2028b\u2029c": "a\\u{2028}b\\u{2029}c",
    "\ud800a\udc00": "\\u{d800}a\\u{dc00}",
    "x\u{e0041}\u{e007f}\u{e0100}": "x\\u{e0041}\\u{e007f}\\u{e0100}",
    "a\u200db\u200c c\ufe0f": "a\\u{200d}b\\u{200c} c\\u{fe0f}"
  }
  for (const [text, expected] of Object.entries(shown)) {
    assert.equal(printable(text), expected)
    assert.equal(printableLine(text), expected)
  }
})

test("text in any script stays as it is, with the joiners of its words and emoji", () => {
  const texts = [
    "naïve Ünïcode €",
    "日本語 葛\u{e0100}城",
    "👩\u200d🚀 👨🏽\u200d💻 ❤\ufe0f 🇩🇪 1\ufe0f\u20e3",
    "می\u200cخواهم",
    "क्\u200dष",
    "שלום"
  ]
  for (const text of texts) {
    assert.equal(printable(text), text)
    assert.equal(printableLine(text), text)
    assert.equal(oneLine(text), text)
  }
})

test("line ends are shown within a line, and kept as line feeds in text of several lines", () => {
  const text = "a\r\nb\rc\nd\te"
  assert.equal(printableLine(text), "a\\u{d}\\u{a}b\\u{d}c\\u{a}d e")
  assert.equal(printable(text), "a\nb\nc\nd\te")
  assert.equal(printableBlock(`✗ a\n\n✓ b\r✓ c`), "✗ a\n\n  ✓ b\n  ✓ c")
})

test("colours in a text are left out, also where leaving one out makes another of what is around it", () => {
  assert.equal(printable("\u001b[31mred\u001b[0m \u001b[1;38:5:9mbold\u001b[m"), "red bold")
  assert.equal(printable("\u001b[\u001b[0m31mred"), "\\u{1b}[31mred")
})

test("colours of a child's line are kept, and end with it", () => {
  assert.equal(printableStyled("\u001b[31mred\u001b[0m\r\nplain"), "\u001b[31mred\u001b[0m\nplain")
  assert.equal(printableStyled("a\u001b[8mhidden\u001b[2J\nb"), "a\u001b[8mhidden\\u{1b}[2J\u001b[0m\nb")
})

test("channels get no invisible or direction character, and a title of one line", () => {
  assert.equal(clean("a\u202eb\u200bc\u2028d\u0085e\u001b]0;x\u0007f\ud800"), "abc\nd\nef\ufffd")
  assert.equal(oneLine("one\u2028two\r\nthree"), "one two three")
})

test("what the runner of GitHub Actions reads as a command is shown", () => {
  assert.equal(
    withoutCommands("::error::a\n \t\u00a0::b\n\u001b[31m ::c\nd::e ##[add-mask]f"),
    "\\u{3a}:error::a\n \t\u00a0\\u{3a}:b\n\u001b[31m \\u{3a}:c\nd::e ##\\u{5b}add-mask]f"
  )
})

it.effect("of any text, no function lets anything through that would be obeyed", () =>
  forAll(Schema.Array(Schema.Literals(pieces)), (parts) => Effect.sync(() => assertPrintable(parts.join(""))), 2000))

test("clean text of 10 MB is passed on as it is, and any text in linear time", () => {
  const clean = "a step that loads "
  const long = clean.repeat(500_000)
  assert.equal(printableLine(long), long)
  for (const piece of [clean, "\u001b[", "\u202e", "क\u200d", "::", " ::\n", "##", "\r"]) {
    isLinear(JSON.stringify(piece), 200_000, (count) => {
      withoutCommands(printableBlock(piece.repeat(count)))
      printableLine(piece.repeat(count))
    })
  }
})
