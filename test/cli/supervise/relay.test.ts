import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as Relay from "../../../src/cli/supervise/relay.ts"
import { printableStyled, withoutCommands } from "../../../src/internal/text/printable.ts"
import { makeIt } from "../../support/it.ts"
import { forAll } from "../../support/property.ts"

const it = makeIt(test)

/** A relay that shows each text by itself, as `errRelayed` does in GitHub Actions. */
const relaying = (patience?: number) => {
  let written = ""
  const relay = Relay.make((text) => {
    written += withoutCommands(printableStyled(text))
  }, patience)
  return { relay, written: () => written }
}

const pieces = [
  "::",
  ":",
  "#",
  "##[",
  "[",
  "error::",
  " ",
  "\t",
  "\r",
  "\n",
  "\u001b[31m",
  "\u001b[0m",
  "\u001b",
  "x",
  "💥"
]
const waits = Schema.Literals([true, false])

it.live("however a child's text is cut, and wherever it pauses, no line of it is a workflow command", () =>
  forAll(
    Schema.Array(Schema.Tuple([Schema.Array(Schema.Literals(pieces)), waits])),
    (chunks) =>
      Effect.gen(function*() {
        const { relay, written } = relaying(0)
        for (const [parts, waits] of chunks) {
          relay.take(parts.join(""))
          if (waits) yield* Effect.sleep(2)
        }
        relay.end()
        for (const line of written().split(/[\r\n]/)) {
          // oxlint-disable-next-line no-control-regex -- colours stay
          assert.doesNotMatch(line, /^(?:\s|\u001b\[[\d;]*m)*::|##\[/)
        }
      }),
    200
  ))

it.live("a command that is cut behind a carriage return is shown", () =>
  Effect.gen(function*() {
    const { relay, written } = relaying(0)
    relay.take("x\r:")
    yield* Effect.sleep("20 millis")
    relay.take(":error::y\n")
    relay.end()
    assert.equal(written(), "x\n\\u{3a}:error::y\n")
  }))

it.live("lines are passed on at once, and the beginning of a line when nothing follows", () =>
  Effect.gen(function*() {
    const { relay, written } = relaying()
    relay.take("row 1\nPassword:")
    assert.equal(written(), "row 1\n")
    yield* Effect.sleep("200 millis")
    assert.equal(written(), "row 1\nPassword:")
    relay.take("\u001b[32mok\u001b[0m")
    relay.end()
    assert.equal(written(), "row 1\nPassword:\u001b[32mok\u001b[0m")
  }))

it.live("a command that comes in two pieces, with a pause between them, is shown", () =>
  Effect.gen(function*() {
    const { relay, written } = relaying()
    for (
      const piece of [
        " ",
        "\u001b[31m:",
        ":error::a\n",
        "##",
        "[add-mask]b\n",
        " ".repeat(20_000) + ":",
        ":notice::c\n"
      ]
    ) {
      relay.take(piece)
      yield* Effect.sleep("80 millis")
    }
    assert.equal(
      written().replace(/ {20000}/, "…"),
      " \u001b[31m\\u{3a}:error::a\u001b[0m\n##\\u{5b}add-mask]b\n…\\u{3a}:notice::c\n"
    )
  }))
