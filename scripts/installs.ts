/**
 * Installs the packed library as users do, by each package manager with its default settings, and runs the README's first
 * script and `epilogue run` there. A registry of this process's own has the tarball, and sends them on to the usual one
 * for all else.
 *
 *     bun scripts/installs.ts [npm] [pnpm] [yarn1] [yarn] [bun] [deno]
 *
 * With `TARBALL=FILE` that is installed, in place of one that is packed first. npm, Bun and Deno are those of the project. pnpm and both Yarns are fetched by npm, into a temporary folder.
 */
import * as assert from "node:assert/strict"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import manifest from "../package.json" with { type: "json" }

const root = path.resolve(import.meta.dirname, "..")
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "epilogue-installs-"))
process.on("exit", () => fs.rmSync(temporary, { recursive: true, force: true }))

const upstream = (process.env["npm_config_registry"] ?? "https://registry.npmjs.org").replace(/\/$/, "")

/** Runs a command, and returns its output, standard error included. */
const run = async (cwd: string, env: Record<string, string>, ...command: ReadonlyArray<string>): Promise<string> => {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe"
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  assert.equal(await child.exited, 0, `${command.join(" ")}\n${stdout}${stderr}`)
  return stdout + stderr
}

const pack = async (): Promise<string> => {
  const given = process.env["TARBALL"]
  if (given !== undefined) return given
  await run(root, {}, "npm", "pack", "--pack-destination", temporary)
  return path.join(temporary, `${manifest.name}-${manifest.version}.tgz`)
}

const tarball = fs.readFileSync(await pack())

/** The time of publishing: managers may refuse what is younger than some days. */
const published = "2026-01-01T00:00:00.000Z"

const registry = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) => {
    const { origin, pathname } = new URL(url)
    if (pathname === `/${manifest.name}`) {
      const version = {
        ...manifest,
        dist: {
          tarball: `${origin}/${manifest.name}/-/${manifest.name}-${manifest.version}.tgz`,
          shasum: createHash("sha1").update(tarball).digest("hex"),
          integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`
        }
      }
      return Response.json({
        name: manifest.name,
        "dist-tags": { latest: manifest.version },
        time: { created: published, modified: published, [manifest.version]: published },
        versions: { [manifest.version]: version }
      })
    }
    if (pathname.startsWith(`/${manifest.name}/-/`)) return new Response(tarball)
    return Response.redirect(`${upstream}${pathname}`, 302)
  }
})

/** Commands of one package manager. */
interface Manager {
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly install: ReadonlyArray<ReadonlyArray<string>>
  /** Runs a script. */
  readonly script: ReadonlyArray<string>
  /** Runs the command. */
  readonly command: ReadonlyArray<string>
}

const npm = (...packages: ReadonlyArray<string>) =>
  run(temporary, {}, "npm", "install", "--prefix", temporary, ...packages)
const bin = (name: string) => path.join(temporary, "node_modules", name)

const project = { "package.json": JSON.stringify({ name: "job", private: true, type: "module" }) }
const own = [manifest.name, "effect", "yaml"]

const managers: Readonly<Record<string, () => Promise<Manager>>> = {
  npm: async () => ({
    install: [["npm", "install", ...own]],
    script: ["node", "nightly.ts"],
    command: ["npx", "epilogue"]
  }),
  pnpm: async () => {
    await npm("pnpm@10")
    const pnpm = ["node", bin("pnpm/bin/pnpm.cjs")]
    return {
      install: [[...pnpm, "add", ...own]],
      script: ["node", "nightly.ts"],
      command: [...pnpm, "exec", "epilogue"]
    }
  },
  yarn1: async () => {
    await npm("yarn@1")
    const yarn = ["node", bin("yarn/bin/yarn.js")]
    return {
      install: [[...yarn, "add", ...own]],
      script: ["node", "nightly.ts"],
      command: [...yarn, "--silent", "epilogue"]
    }
  },
  // without node_modules: packages stay in their archives
  yarn: async () => {
    await npm("@yarnpkg/cli-dist@4")
    const yarn = ["node", bin("@yarnpkg/cli-dist/bin/yarn.js")]
    return {
      files: { "yarn.lock": "" },
      env: { YARN_NPM_REGISTRY_SERVER: registry.url.origin, YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1" },
      install: [[...yarn, "add", ...own]],
      script: [...yarn, "node", "nightly.ts"],
      command: [...yarn, "epilogue"]
    }
  },
  bun: async () => ({
    install: [["bun", "add", ...own]],
    script: ["bun", "nightly.ts"],
    command: ["bunx", "epilogue"]
  }),
  deno: async () => ({
    files: { "deno.json": "{}", "package.json": "" },
    install: [["deno", "add", ...own.map((name) => `npm:${name}`)]],
    script: ["deno", "run", "--no-prompt", "nightly.ts"],
    command: ["deno", "run", "-A", `npm:${manifest.name}`]
  })
}

const readme = fs.readFileSync(path.join(root, "README.md"), "utf8")
const script = /^```ts\n([\s\S]*?)^```/m.exec(readme)![1]!

const config = `pipeline: ./job.ts#job
alerter: { console: {} }
# a hook of an installed package, which each manager keeps elsewhere
hooks: { success: effect-epilogue/AlerterHooks#success }
`

const job = `import { Effect } from "effect"
import { Pipeline, Step } from "effect-epilogue"

export const job = Pipeline.make("job", Step.make("load", Effect.succeed(1)))
`

const check = async (name: string, make: () => Promise<Manager>): Promise<void> => {
  const { command, env = {}, files = {}, install, script: runScript } = await make()
  const folder = path.join(temporary, "projects", name)
  fs.mkdirSync(folder, { recursive: true })
  for (
    const [file, text] of Object.entries({
      ...project,
      "nightly.ts": script,
      "job.ts": job,
      "job.yaml": config,
      ...files
    })
  ) {
    if (file !== "package.json" || text !== "") fs.writeFileSync(path.join(folder, file), text)
  }
  const { origin } = registry.url
  const variables = { NPM_CONFIG_REGISTRY: origin, npm_config_registry: origin, YARN_REGISTRY: origin, CI: "", ...env }
  for (const words of install) await run(folder, variables, ...words)
  const printed = await run(folder, variables, ...runScript)
  assert.match(printed, /\[error\] nightly › fetch-prices failed/)
  assert.match(printed, /1461 rows/)
  // supervised, since the file has an alerter
  const ran = await run(folder, variables, ...command, "run", "job.yaml")
  assert.match(ran, /✓ job \(/)
  assert.match(ran, /job succeeded/)
  console.log(`✓ ${name}`)
}

const wanted = process.argv.slice(2)
for (const [name, make] of Object.entries(managers)) {
  if (wanted.length === 0 || wanted.includes(name)) await check(name, make)
}
await registry.stop(true)
