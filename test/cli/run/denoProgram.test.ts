/** How a supervised child of Deno is started where the command runs from Deno's cache of npm packages. */
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { programOf } from "../../../src/cli/run/denoProgram.ts"

const cached = "/home/me/.cache/deno/npm/registry.npmjs.org/effect-epilogue/0.1.0_1/dist/cli/main.js"
const args = ["run", "nightly.yaml"]

/** The program of a process that was started with these arguments. */
const programAfter = (line: ReadonlyArray<string> | undefined, given: ReadonlyArray<string> = []) =>
  programOf(cached, args, given, () => line && ["deno", ...line, ...args])

test("a command outside of Deno's cache is started by its path", () => {
  const never = () => assert.fail("the command line is not needed")
  for (
    const script of [
      "/srv/job/node_modules/effect-epilogue/dist/cli/main.js",
      "/srv/job/node_modules/.deno/effect-epilogue@0.1.0/node_modules/effect-epilogue/dist/cli/main.js",
      "/work/src/cli/main.ts"
    ]
  ) assert.deepEqual(programOf(script, args, [], never), [script])
})

test("a command in Deno's cache is started by the specifier of this process, which a frozen lockfile knows", () => {
  const specifiers = ["npm:effect-epilogue", "npm:effect-epilogue@^0.1", "npm:effect-epilogue@0.1.0/epilogue"]
  for (const specifier of specifiers) assert.deepEqual(programAfter(["run", "-A", specifier]), [specifier])
})

test("flags that decide which packages are found are passed on, and others are not", () => {
  const passed = ["--frozen", "-c", "a b.json", "--lock=x.lock", "--import-map", "m.json", "--cached-only"]
  const specifier = "npm:effect-epilogue"
  assert.deepEqual(programAfter(["run", "-A", "--watch", "--inspect", ...passed, specifier]), [...passed, specifier])
  assert.deepEqual(programAfter(["run", "--config=a.json", specifier]), ["--config=a.json", specifier])
})

test("a config file that is given with the permissions is not given twice", () => {
  const specifier = "npm:effect-epilogue"
  assert.deepEqual(programAfter(["run", "-P", "-c", "a.json", "--frozen", specifier], ["-P", "-c", "a.json"]), [
    "--frozen",
    specifier
  ])
})

test("where the command line can't be read, or names no npm package, the specifier is of the running version", () => {
  const exact = ["npm:effect-epilogue@0.1.0"]
  assert.deepEqual(programAfter(undefined), exact)
  assert.deepEqual(programAfter(["x", "-A", "epilogue"]), exact)
  assert.deepEqual(programOf(cached, args, [], () => ["deno", "run", "npm:effect-epilogue", "other"]), exact)
})
