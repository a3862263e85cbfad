/** What runtimes write when they end for lack of memory, however it is cut into pieces. */
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { watch } from "../../../src/cli/supervise/memory.ts"

const written = {
  "Node": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace",
  "V8 in Deno": "\n\n#\n# Fatal JavaScript out of memory: Reached heap limit\n#\n==== C stack trace ====",
  "the allocator of Deno": "memory allocation of 1073741824 bytes failed\n",
  "Bun": "panic(main thread): Bun ran out of memory\noh no: Bun has run out of memory.\n"
}

for (const [name, text] of Object.entries(written)) {
  test(`the message of ${name} is found wherever it is cut, after and before much other text`, () => {
    for (let at = 0; at <= text.length; at++) {
      const { found, take } = watch()
      for (const piece of ["x".repeat(50_000), text.slice(0, at), text.slice(at), "y".repeat(50_000)]) take(piece)
      assert.ok(found(), `cut at ${at}`)
    }
    const { found, take } = watch()
    for (const character of text) take(character)
    assert.ok(found(), "character by character")
  })
}

test("an error of the program's own about memory is none of these", () => {
  const { found, take } = watch()
  take("RangeError: Out of memory\nsqlite: out of memory\nJavaScript heap statistics: out of 4 GB memory\n")
  assert.equal(found(), false)
})
