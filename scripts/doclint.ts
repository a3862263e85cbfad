/**
 * Reports what `deno doc --lint` says of the public modules: exports and members without a docstring, functions without a
 * type of their result, and types that a public signature names and nothing exports.
 *
 *     bun scripts/doclint.ts
 *
 * Deno takes each type of an npm package, as `Effect`, for one that nothing exports. What it shows of a type is its line,
 * so a type is the package's own if a file of `src/` has that line in that place. Constants are left out: the keys of
 * members and the classes that errors and services extend are no types to look up.
 */
import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import process from "node:process"
import deno from "../deno.json" with { type: "json" }
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

const modules = new Set([
  ...Object.values(deno.exports),
  ...Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [] : entry["@effect-epilogue/source"]
  )
])

const { status, stderr } = spawnSync("deno", ["doc", "--quiet", "--lint", ...modules], {
  cwd: root,
  encoding: "utf8",
  env: { ...process.env, NO_COLOR: "1" },
  maxBuffer: 2 ** 28
})

/** The lines of `src/`, as `12 | export interface Route {`. */
const ours = new Set(
  globSync("src/**/*.ts", { cwd: root }).flatMap((file) =>
    readFileSync(join(root, file), "utf8").split("\n").map((line, index) => `${index + 1} | ${line}`)
  )
)

/** Returns the declaration of a type that Deno calls private, as it shows it after its hint. */
const declared = (fault: string): string => /= hint: .*\n[ |]*\n *(\d+ \| .*)/.exec(fault)?.[1] ?? ""

const isOurs = (fault: string): boolean => {
  if (!fault.startsWith("error[private-type-ref]")) return true
  const declaration = declared(fault)
  return declaration === "" || (ours.has(declaration) && !/^\d+ \| (export )?const /.test(declaration))
}

const faults = stderr.split(/^(?=error)/m).filter((fault) => fault.startsWith("error["))
// without this, a Deno that writes its faults in another way would look as if there were none
if (status !== 0 && faults.length === 0) throw new Error(`deno doc --lint failed:\n${stderr}`)

const found = faults.filter(isOurs)
for (const fault of found) {
  const [message = "", place = ""] = fault.split("\n")
  console.error(`${relative(root, place.replace(/^ *--> /, ""))}: ${message.replace(/^error\[.*?\]: /, "")}`)
  const type = declared(fault)
  if (type !== "" && message.startsWith("error[private")) console.error(`  ${type}`)
}
if (found.length > 0) {
  console.error(`faults of docstrings: ${found.length}`)
  process.exitCode = 1
}
