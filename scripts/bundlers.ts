/**
 * Bundles a program that imports all modules of the packed library, with each bundler that is installed, and runs what
 * comes out. The optional peers are left out where they are missing: no bundler is told of them.
 *
 * esbuild and Bun's bundler are there always. Rollup, Vite and webpack are tried where they are found from here or, with
 * `BUNDLERS=FOLDER`, from that folder: `npm install --prefix FOLDER rollup @rollup/plugin-node-resolve @rollup/plugin-commonjs vite webpack`.
 */
import * as esbuild from "esbuild"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"

/** A bundler: writes one file, and returns its warnings. */
type Bundler = (entry: string, out: string) => Promise<ReadonlyArray<string>>

/** Returns an installed package, or `undefined`. It has no types, since those are missing where it is. */
const found = async (name: string) => {
  for (const folder of [path.resolve(import.meta.dirname, ".."), process.env["BUNDLERS"]]) {
    if (folder === undefined) continue
    try {
      return await import(pathToFileURL(Bun.resolveSync(name, path.resolve(folder))).href)
    } catch (error) {
      if (!(error instanceof ResolveMessage)) throw error
    }
  }
  return undefined
}

const rollup = async (): Promise<Bundler | undefined> => {
  const [rollup, plugin] = [await found("rollup"), await found("@rollup/plugin-node-resolve")]
  // for yaml and nodemailer, which are CommonJS
  const commonjs = await found("@rollup/plugin-commonjs")
  if (rollup === undefined || plugin === undefined || commonjs === undefined) return undefined
  return async (input, file) => {
    const warnings: Array<string> = []
    const plugins = [plugin.nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs.default()]
    const bundle = await rollup.rollup({ input, plugins, onwarn: ({ message }: Error) => warnings.push(message) })
    await bundle.write({ file, format: "esm", inlineDynamicImports: true })
    return warnings
  }
}

const vite = async (): Promise<Bundler | undefined> => {
  const vite = await found("vite")
  if (vite === undefined) return undefined
  return async (entry, file) => {
    const warnings: Array<string> = []
    const customLogger = vite.createLogger("silent")
    customLogger.warn = customLogger.warnOnce = (message: string) => warnings.push(message)
    await vite.build({
      root: path.dirname(entry),
      configFile: false,
      logLevel: "silent",
      customLogger,
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        target: "esnext",
        outDir: path.dirname(file),
        emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: path.basename(file) } }
      }
    })
    return warnings
  }
}

const webpack = async (): Promise<Bundler | undefined> => {
  const module = await found("webpack")
  if (module === undefined) return undefined
  return async (entry, file) => {
    const configuration = {
      mode: "production",
      target: "node22",
      context: path.dirname(entry),
      entry,
      output: { path: path.dirname(file), filename: path.basename(file), module: true },
      experiments: { outputModule: true }
    }
    const stats = await promisify(module.default)(configuration)
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
    assert.deepEqual(errors, [])
    return warnings.map(({ message }: Error) => message)
  }
}

/** Minifies, since that replaces constants by their values, which could make a specifier be found. */
const bundlers: Readonly<Record<string, () => Promise<Bundler | undefined>>> = {
  esbuild: async () => async (entry, outfile) => {
    // packages that call `require` for modules of Node, as yaml does: https://github.com/evanw/esbuild/issues/1921
    const js = "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url)"
    const options = {
      banner: { js },
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      logLevel: "silent"
    } as const
    const { warnings } = await esbuild.build({ ...options, entryPoints: [entry], outfile })
    return warnings.map(({ text }) => text)
  },
  // by another process, since in one Bun remembers which packages were missing
  bun: async () => async (entry, file) => {
    const command = ["bun", "build", "--target=node", "--minify", entry, "--outfile", file]
    const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" })
    assert.equal(exitCode, 0, stderr.toString())
    return [...stderr.toString().matchAll(/^warn.*$/gm)].map(([line]) => line)
  },
  rollup,
  vite,
  webpack
}

/** Says of each optional peer what a program is told where it is missing. */
const program = (specifiers: ReadonlyArray<string>) => `
  ${specifiers.map((specifier, i) => `import * as m${i} from "${specifier}"`).join("\n")}
  import * as Effect from "effect/Effect"
  import * as Layer from "effect/Layer"
  import * as FileSystem from "effect/FileSystem"
  import * as Path from "effect/Path"
  import { Email } from "effect-epilogue/alerters"
  import { ConfigFile } from "effect-epilogue/config"
  import { Report } from "effect-epilogue/report"
  globalThis.modules = [${specifiers.map((_, i) => `m${i}`).join(", ")}]
  const mail = Layer.build(Email.layer({ host: "127.0.0.1", from: "a@example.com", to: "b@example.com" }))
  const file = ConfigFile.load("epilogue.yaml").pipe(
    Effect.provideService(FileSystem.FileSystem, FileSystem.makeNoop({
      readFileString: () => Effect.succeed("pipeline: ["),
      readFile: () => Effect.succeed(new TextEncoder().encode("pipeline: [")),
      exists: () => Effect.succeed(false),
      realPath: (path) => Effect.succeed(path)
    })),
    Effect.provide(Path.layer)
  )
  const told = (effect) => Effect.runPromise(Effect.match(effect, {
    onSuccess: () => "found",
    onFailure: (error) => error._tag + ": " + error.message
  }))
  console.log(JSON.stringify([
    await told(Effect.scoped(mail)), await told(file), await told(Report.png([]))
  ]))
`

type Run = (cwd: string, ...command: Array<string>) => string

/** Bundles in a folder. Returns the bundle of each bundler that is installed. */
const bundleAll = async (
  folder: string,
  entry: string
): Promise<ReadonlyArray<readonly [name: string, file: string]>> => {
  const bundles: Array<readonly [string, string]> = []
  for (const [name, find] of Object.entries(bundlers)) {
    const bundle = await find()
    if (bundle === undefined) {
      console.log(`  not tried: ${name} (BUNDLERS=FOLDER says where it is installed)`)
      continue
    }
    const file = path.join(folder, "bundled", `${name}.mjs`)
    const warnings = await bundle(entry, file)
    // Rollup and webpack warn of a package that they can't find, and go on
    const unexpected = warnings.filter((text) => !/nodemailer|yaml/.test(text))
    assert.deepEqual(unexpected, [], name)
    bundles.push([name, file])
  }
  return bundles
}

const peers = ["nodemailer", "yaml", "@resvg/resvg-js"]

/** Bundles and runs, in a folder where the library and `effect` are installed, and nothing else. */
export const check = async (folder: string, specifiers: ReadonlyArray<string>, run: Run): Promise<void> => {
  const entry = path.join(folder, "bundled.js")
  fs.writeFileSync(entry, program(specifiers))
  for (const [, file] of await bundleAll(folder, entry)) {
    const [mail, config, picture] = JSON.parse(run(folder, "node", file))
    assert.match(mail, /^AlerterError: .*npm install nodemailer/)
    assert.match(config, /^ConfigFileError: [^]*npm install yaml/)
    assert.match(picture, /^RendererMissing: .*npm install @resvg\/resvg-js/)
  }

  const executable = path.join(folder, "bundled", "executable")
  run(folder, "bun", "build", "--compile", entry, "--outfile", executable)
  assert.match(run(folder, executable), /npm install nodemailer/)
  // 100 MB
  fs.rmSync(executable)

  const modules = path.join(folder, "node_modules")
  const links = peers.map((name) => path.join(modules, name))
  fs.mkdirSync(path.join(modules, "@resvg"), { recursive: true })
  for (const [i, link] of links.entries()) {
    fs.symlinkSync(path.resolve(import.meta.dirname, "../node_modules", peers[i]!), link)
  }
  const bundles = await bundleAll(folder, entry)
  // the bundles have them now, but for machine code
  for (const link of links) fs.unlinkSync(link)
  for (const [, file] of bundles) {
    const [mail, config, picture] = JSON.parse(run(folder, "node", file))
    assert.equal(mail, "found")
    assert.match(config, /^ConfigFileError: (?![^]*npm install yaml)/)
    assert.match(picture, /^RendererMissing: /)
  }
}

/** A program in a page, and the lines that it prints. */
export interface Script {
  readonly name: string
  readonly source: string
  readonly prints: ReadonlyArray<string>
}

/** Returns the scripts of a page: each block of TypeScript that is followed by what it prints. */
export const scriptsOf = (page: string): ReadonlyArray<Script> =>
  [...fs.readFileSync(page, "utf8").matchAll(/^```ts\n([^]*?)^```\n\nprints\n\n```text\n([^]*?)^```/gm)].map(
    ([, source = "", output = ""], i) => ({
      name: `script${i}`,
      source,
      prints: output.trimEnd().split("\n").map(timeless)
    })
  )

/** Removes the time and the number of the fiber from a line of the log. */
const timeless = (line: string): string => line.replace(/^\[[\d:.]+\] /, "").replace(/ \(#\d+\):/, ":")

/** Bundles scripts with each bundler, and makes executables of them. Runs all that comes out. */
export const checkScripts = async (folder: string, scripts: ReadonlyArray<Script>, run: Run): Promise<void> => {
  for (const { name, prints, source } of scripts) {
    const printed = (...command: Array<string>): void =>
      assert.deepEqual(run(folder, ...command).trimEnd().split("\n").map(timeless), prints)
    fs.writeFileSync(path.join(folder, `${name}.ts`), source)
    // Rollup reads no types
    const entry = path.join(folder, `${name}.js`)
    fs.writeFileSync(entry, (await esbuild.transform(source, { loader: "ts" })).code)
    for (const [, file] of await bundleAll(folder, entry)) printed("node", file)

    const executable = path.join(folder, "bundled", name)
    run(folder, "bun", "build", "--compile", `${name}.ts`, "--outfile", executable)
    printed(executable)
    fs.rmSync(executable)
    const { exitCode, stderr } = Bun.spawnSync(["deno", "compile", "-A", "--output", executable, `${name}.ts`], {
      cwd: folder,
      stderr: "pipe"
    })
    if (exitCode !== 0) {
      // it downloads the runtime of executables at the first time
      assert.match(stderr.toString(), /dl\.deno\.land/)
      console.log("  not tried: deno compile (dl.deno.land can't be reached)")
      continue
    }
    printed(executable)
    fs.rmSync(executable)
  }
}
