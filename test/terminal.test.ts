import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { colorsOn, hasColors } from "../src/internal/text/terminal.ts"
import { makeIt } from "./support/it.ts"
import { setTerminal } from "./support/terminal.ts"

const it = makeIt(test)

test("a terminal has colours, unless NO_COLOR is set and not empty or TERM is dumb", () => {
  assert.equal(hasColors(true, {}), true)
  assert.equal(hasColors(true, { TERM: "xterm-256color", NO_COLOR: "" }), true)
  assert.equal(hasColors(true, { NO_COLOR: "1" }), false)
  assert.equal(hasColors(true, { TERM: "dumb" }), false)
  assert.equal(hasColors(false, { TERM: "xterm-256color" }), false)
})

test("FORCE_COLOR decides alone: it colours pipes and dumb terminals, and 0 or false colours nothing", () => {
  assert.equal(hasColors(false, { FORCE_COLOR: "1", TERM: "dumb" }), true)
  assert.equal(hasColors(true, { FORCE_COLOR: "", NO_COLOR: "1" }), true)
  assert.equal(hasColors(true, { FORCE_COLOR: "0" }), false)
  assert.equal(hasColors(true, { FORCE_COLOR: "false" }), false)
})

it.effect("an option of always or never goes before terminal and variables", () =>
  Effect.scoped(Effect.gen(function*() {
    yield* setTerminal("stderr", false, { FORCE_COLOR: "1" })
    assert.deepEqual([colorsOn("stderr"), colorsOn("stderr", "never")], [true, false])
    yield* setTerminal("stderr", true, { NO_COLOR: "1" })
    assert.deepEqual([colorsOn("stderr", "auto"), colorsOn("stderr", "always")], [false, true])
  })))
