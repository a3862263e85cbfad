/**
 * Checks the package before it is published: package.json and deno.json agree with each other
 * and with `src`, both registries would take it, and the packed tarball type-checks and runs
 * on each runtime.
 */
import { Glob } from "bun"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import deno from "../deno.json" with { type: "json" }
import npm from "../package.json" with { type: "json" }
import * as bundlers from "./bundlers.ts"
import * as notices from "./notices.ts"

const root = path.resolve(import.meta.dirname, "..")

const run = (cwd: string, ...command: Array<string>) => {
  const { exitCode, stderr, stdout } = Bun.spawnSync(command, { cwd, stderr: "pipe" })
  if (exitCode !== 0) {
    console.error(`${stdout}${stderr}\n${command.join(" ")}: exit code ${exitCode}`)
    process.exit(1)
  }
  console.log(`✓ ${command.map((word) => path.basename(word)).join(" ")}`)
  return stdout.toString()
}

// -----------------------------------------------------------------------------
// the two manifests and the sources
// -----------------------------------------------------------------------------

const scan = (pattern: string) => [...new Glob(pattern).scanSync(path.join(root, "src"))]
/** Returns the modules that an area exports as namespaces: each is a subpath, too, of which bundlers keep what is used. */
const namespacesOf = (index: string): ReadonlyArray<string> => {
  const text = fs.readFileSync(path.join(root, "src", index), "utf8")
  return [...text.matchAll(/^export \* as \w+ from "\.\/(.+)"$/gm)].map(([, file]) =>
    path.join(path.dirname(index), file!)
  )
}
const areas = ["alerters", "approvers", "monitors"].flatMap((area) => namespacesOf(`${area}/index.ts`))
const modules = [...scan("*.ts"), ...scan("*/index.ts"), ...scan("*/words/*.ts"), ...areas].toSorted().map((file) => {
  const name = path.posix.join(".", file.replace(/(\/?index)?\.ts$/, ""))
  return {
    subpath: name === "." ? "." : `./${name}`,
    source: `./src/${file}`,
    built: `./dist/${file.replace(/ts$/, "js")}`
  }
})
const forEach = <A>(f: (module: (typeof modules)[number]) => [key: string, value: A]) =>
  Object.fromEntries(modules.map(f))

assert.deepEqual(npm.exports, {
  ...forEach(({ built, source, subpath }) => [subpath, { "@effect-epilogue/source": source, default: built }]),
  "./epilogue.schema.json": "./dist/epilogue.schema.json",
  "./package.json": "./package.json"
})
assert.deepEqual(deno.exports, forEach(({ source, subpath }) => [subpath, subpath === "." ? "./mod.ts" : source]))
// packages that the sources import: peers, and packages of types
const types = ["@grammyjs/types", "@pagerduty/pdjs", "@slack/types", "adaptivecards", "discord-api-types"] as const
assert.deepEqual(deno.imports, {
  ...Object.fromEntries(types.map((name) => [name, `npm:${name}@^${npm.devDependencies[name]}`])),
  "@resvg/resvg-js": `npm:@resvg/resvg-js@${npm.peerDependencies["@resvg/resvg-js"]}`,
  effect: `npm:effect@${npm.peerDependencies.effect}`,
  nodemailer: `npm:nodemailer@${npm.peerDependencies.nodemailer}`,
  yaml: `npm:yaml@${npm.peerDependencies.yaml}`,
  ...forEach(({ source, subpath }) => [path.posix.join(npm.name, subpath), source])
})
assert.equal(deno.version, npm.version)
assert.ok(!("dependencies" in npm), "the core needs effect and nothing else")
assert.deepEqual(
  Object.keys(npm.peerDependencies).filter((name) => !(name in npm.peerDependenciesMeta)),
  ["effect"]
)
console.log("✓ package.json, deno.json and src agree")

// -----------------------------------------------------------------------------
// the packages
// -----------------------------------------------------------------------------

/** Whether all is checked, as before a release: what takes ten seconds and hardly ever fails, too. */
const everything = process.env["TESTS"] === "all"
run(root, "deno", "publish", "--dry-run", "--allow-dirty", ...everything ? [] : ["--no-check"])

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "effect-epilogue-"))
process.on("exit", () => fs.rmSync(temporary, { recursive: true }))
const noticesBefore = fs.readFileSync(path.join(root, notices.file), "utf8")
run(root, "npm", "pack", "--pack-destination", temporary)
const tarball = path.join(temporary, `${npm.name}-${npm.version}.tgz`)
run(root, "publint", "run", tarball, "--strict")
if (everything) run(root, "attw", tarball, "--profile", "esm-only")

// -----------------------------------------------------------------------------
// a user's project
// -----------------------------------------------------------------------------

const installed = path.join(temporary, "node_modules", npm.name)
fs.mkdirSync(installed, { recursive: true })
run(temporary, "tar", "-xzf", tarball, "-C", installed, "--strip-components=1")
fs.symlinkSync(path.join(root, "node_modules/effect"), path.join(temporary, "node_modules/effect"))

// packing has built it: a package that the bundles begin or cease to contain has to be seen in review
const listed = fs.readFileSync(path.join(installed, notices.file), "utf8")
assert.equal(listed, noticesBefore, `${notices.file} was out of date: commit what the build has made of it`)
for (const [, name, version] of listed.matchAll(/^(\S+) (\S+) \([\w.-]+\)$/gm)) {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, "node_modules", name!, "package.json"), "utf8"))
  assert.equal(version, manifest.version, name)
}
for (const name of ["effect", "@effect/platform-node"]) assert.match(listed, new RegExp(`^${name} \\d`, "m"))
const pages = [...new Glob("**/*.md").scanSync(installed)]
for (const page of ["README.md", "docs/README.md"]) assert.ok(pages.includes(page), `${page} is not packed`)
for (const page of pages) {
  for (const [, link] of fs.readFileSync(path.join(installed, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    assert.ok(
      fs.existsSync(path.join(installed, path.dirname(page), link!)),
      `${page} refers to ${link}, which is not packed`
    )
  }
}
for (const name of ["LICENSE", "SECURITY.md"]) assert.ok(fs.existsSync(path.join(installed, name)), name)
console.log(`✓ ${notices.file} has the licences of what the command contains`)

const write = (name: string, content: unknown) =>
  fs.writeFileSync(path.join(temporary, name), typeof content === "string" ? content : JSON.stringify(content))
const specifiers = modules.map(({ subpath }) => path.posix.join(npm.name, subpath))
write("package.json", {
  type: "module",
  dependencies: { [npm.name]: npm.version, effect: npm.peerDependencies.effect }
})
write("deno.json", { nodeModulesDir: "manual" })
// not tsconfig.json, with which "epilogue init" would write none
write("tsconfig.main.json", {
  compilerOptions: { strict: true, exactOptionalPropertyTypes: true, module: "NodeNext", noEmit: true, types: [] },
  include: ["main.ts"]
})
write("main.ts", specifiers.map((specifier, i) => `import * as m${i} from "${specifier}"\nvoid m${i}\n`).join(""))
run(temporary, "tsc", "--project", "tsconfig.main.json")
run(temporary, "node", "main.ts")
run(temporary, "bun", "main.ts")
run(temporary, "deno", "run", "-A", "main.ts")
await bundlers.check(temporary, specifiers, run)
if (everything) await bundlers.checkScripts(temporary, bundlers.scriptsOf(path.join(root, "README.md")), run)

// -----------------------------------------------------------------------------
// the command
// -----------------------------------------------------------------------------

assert.deepEqual(npm.bin, { epilogue: "./dist/cli/main.js" })
const epilogue = path.join(installed, npm.bin.epilogue)
assert.ok(fs.statSync(epilogue).mode & 0o100, "the command can be executed")
// the front refers to the other bundles, and contains none of their code
const begins = fs.readFileSync(epilogue, "utf8")
for (
  const name of [
    "run/run",
    "run/ack",
    "run/alert",
    "exec/exec",
    "durable/commands",
    "durable/run",
    "durable/stored",
    "durable/outbox",
    "durable/ui",
    "records/records",
    "records/charts"
  ]
) {
  assert.ok(begins.includes(`import("./${name}.js")`), name)
}
for (const text of ["RunEnded", "<!DOCTYPE html>"]) assert.ok(!begins.includes(text), text)
for (const name of ["yaml", "@types"]) {
  fs.symlinkSync(path.join(root, "node_modules", name), path.join(temporary, "node_modules", name))
}
for (const runtime of [["node"], ["bun"], ["deno", "run", "-A"]]) {
  const command = (...args: Array<string>) => run(temporary, ...runtime, epilogue, ...args)
  assert.equal(command("--version"), `epilogue v${npm.version}\n`)
  if (fs.existsSync("/dev/full")) {
    // the error comes from a bundle, whose classes are not those of the front
    const full = Bun.spawnSync([...runtime, epilogue, "schema"], { stdout: Bun.file("/dev/full"), stderr: "pipe" })
    assert.deepEqual([full.exitCode, full.stderr.toString()], [1, "error: can't write to standard output: ENOSPC\n"])
  }
  assert.equal(typeof JSON.parse(command("schema")).$id, "string")
  const folder = `init-${runtime[0]}`
  const next = command("init", folder, "--runtime", runtime[0]!).trim().split("\n").at(-1)!
  // the test of its hooks, as the command says to run it
  run(temporary, ...next.trim().split(" "))
  // with the settings that it has written; on Deno, there are none
  if (runtime[0] === "deno") run(temporary, "deno", "check", `${folder}/pipeline.ts`, `${folder}/hooks.test.ts`)
  else run(temporary, "tsc", "--project", folder)
  command("check", `${folder}/epilogue.yaml`)
  assert.match(command("run", `${folder}/epilogue.yaml`), /^Hello, world!$/m)
  assert.match(command("run", `${folder}/epilogue.yaml`, "--supervise"), /^Hello, world!$/m)
  const ui = Bun.spawn([...runtime, epilogue, "ui"], { cwd: temporary, stdout: "pipe", stderr: "inherit" })
  const { value: link } = await ui.stdout.getReader().read()
  const entered = await fetch(new TextDecoder().decode(link).trim(), { redirect: "manual" })
  assert.equal(entered.status, 303)
  ui.kill("SIGINT")
  await ui.exited
  console.log(`✓ ${runtime[0]} epilogue ui`)
  // the rest is the same code on each runtime, and each command takes a second to start
  if (runtime[0] !== "node") continue
  assert.equal(command("exec", "--", "printf", "%s", "--help"), "--help")
  command("run", "--record", `${folder}/epilogue.yaml`)
  const [recorded] = command("runs", "--json").trim().split("\n").map((line) => JSON.parse(line))
  assert.equal(recorded.status, "success")
  assert.match(command("show", recorded.runId), /^└─ ✓ /m)
  assert.match(command("report", "--html", "-"), /^<!DOCTYPE html>/)
  command("logs", "latest")
  command("prune", "--keep", "0")
  assert.equal(command("runs", "--json"), "")
}
