/** The warning for a Node that is too old. */
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { oldNode } from "../../../src/cli/front/oldNode.ts"

test("a Node before 22.19 is named, and no other runtime is", () => {
  const warning = (version: string) => `warning: this is Node ${version}, and effect-epilogue needs Node 22.19 or later`
  for (const node of ["20.20.2", "22.18.0", "18.0.0"]) assert.equal(oldNode({ node }), warning(node))
  for (const node of ["22.19.0", "22.23.3", "24.0.0", "26.10.0"]) assert.equal(oldNode({ node }), undefined)
  assert.equal(oldNode({ node: "20.1.0", bun: "1.4.5" }), undefined)
  assert.equal(oldNode({ node: "20.1.0", deno: "2.9.5" }), undefined)
  assert.equal(oldNode(process.versions), undefined)
})
