/** The values of `--param`. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { collectParams } from "../../../src/cli/front/params.ts"
import { makeIt } from "../../support/it.ts"

const it = makeIt(test)

const collected = (...params: ReadonlyArray<string>): unknown => JSON.parse(JSON.stringify(collectParams(params)))

it.effect("parameters are collected by service and field, and the later of two counts", () =>
  Effect.sync(() => {
    assert.deepEqual(collected("A.x=1", "A.y=2", "A.x=3", "my.own/B.z="), { A: { x: 3, y: 2 }, "my.own/B": { z: "" } })
    assert.deepEqual(collected(), {})
  }))

it.effect("a value is decoded if it is JSON, and a text otherwise", () =>
  Effect.sync(() => {
    const value = (text: string) => (collected(`A.x=${text}`) as { readonly A: { readonly x: unknown } }).A.x
    for (
      const [text, expected] of [
        ["3", 3],
        ["-0.5", -0.5],
        ["+5", 5],
        [".5", 0.5],
        ["-.5e1", -5],
        ["5.", 5],
        [".", "."],
        ["+", "+"],
        ["", ""],
        ["true", true],
        ["null", null],
        ["\"3\"", "3"],
        ["[1,2]", [1, 2]],
        ["{\"a\":1}", { a: 1 }],
        ["007", "007"],
        ["12345678901234567890", "12345678901234567890"],
        ["a=b.c", "a=b.c"],
        ["{", "{"],
        ["🔥", "🔥"]
      ] as const
    ) assert.deepEqual(value(text), expected, text)
  }))

it.effect("a malformed parameter is named without its value", () =>
  Effect.sync(() => {
    assert.equal(collectParams(["A.x=1", "x=hunter2"]), "x")
    assert.equal(collectParams(["A.=1"]), "A.")
    assert.equal(collectParams([".x=1"]), ".x")
    assert.equal(collectParams(["A.x"]), "A.x")
    assert.equal(collectParams(["=A.x"]), "")
  }))

it.effect("names such as __proto__ are names like others", () =>
  Effect.sync(() => {
    const params = collectParams(["__proto__.polluted=true", "A.__proto__=1"])
    assert.deepEqual(Object.keys(params), ["__proto__", "A"])
    assert.ok(!("polluted" in {}))
  }))
