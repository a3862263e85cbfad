/** The last lines of what a command writes. */
import { expect, test } from "bun:test"
import { Tail } from "../../../src/cli/exec/tail.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const linesOf = (...parts: ReadonlyArray<string | Uint8Array>) => {
  const tail = new Tail()
  for (const part of parts) tail.take(2, typeof part === "string" ? bytes(part) : part)
  return tail.lines()
}

test.each<readonly [parts: ReadonlyArray<string>, lines: ReadonlyArray<string>]>([
  [[], []],
  [["one\ntwo"], ["one", "two"]],
  [["one\n", "\n  \n", "tw", "o\n"], ["one", "two"]],
  [["one\r\ntwo\r\n"], ["one", "two"]],
  [["1%\r50%\r100%\ndone"], ["100%", "done"]],
  [["a\0b\nc\0\nd"], ["<binary output>", "d"]]
])("the lines of %p are %p", (parts, lines) => {
  expect(linesOf(...parts)).toEqual([...lines])
})

test("the last hundred lines are kept, none of them cut at its beginning", () => {
  const lines = [...Array(10_000).keys()].map((i) => `line ${i}`)
  expect(linesOf(lines.join("\n"))).toEqual(lines.slice(-100))
  expect(linesOf(...lines.map((line) => `${line}\n`))).toEqual(lines.slice(-100))
})

test("of a line without an end the last characters are kept", () => {
  expect(linesOf("x".repeat(1_000_000), "end")).toEqual([`${"x".repeat(997)}end`])
})

test("a character that arrives in pieces is whole", () => {
  const whole = bytes("köln 🎉\n")
  expect(linesOf(...[...whole].map((byte) => Uint8Array.of(byte)))).toEqual(["köln 🎉"])
})

test("what is no text is not shown", () => {
  const noise = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 197 + 128) % 256)
  const lines = linesOf("before\n", noise, "\nafter")
  expect(lines[0]).toBe("before")
  expect(lines.at(-1)).toBe("after")
  expect(lines.join("")).not.toContain("\ufffd\ufffd")
})

test("lines of two streams are in the order in which they ended", () => {
  const tail = new Tail()
  tail.take(1, bytes("out"))
  tail.take(2, bytes("err 1\n"))
  tail.take(1, bytes(" 1\nout 2\n"))
  tail.take(2, bytes("err 2"))
  expect(tail.lines()).toEqual(["err 1", "out 1", "out 2", "err 2"])
})
