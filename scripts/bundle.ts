/**
 * Bundles the command. The front and the commands for records are bundled with everything they
 * import, so that they start fast. The commands that run pipelines or post alerts import `effect`
 * and the library from the package, so that they share both with a user's modules; each loads no
 * more than it needs.
 */
import * as esbuild from "esbuild"
import { chmod, rm } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"
import type { Library } from "./parts.ts"

const root = dirname(import.meta.dirname)
const src = join(root, "src")
const cli = join(src, "cli")

const shared: esbuild.BuildOptions = {
  bundle: true,
  absWorkingDir: root,
  metafile: true,
  platform: "node",
  format: "esm",
  target: "node22",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning"
}

/** Replaces the manifest with its version, the one field that the command reads. */
const version: esbuild.Plugin = {
  name: "version",
  setup: (build) =>
    build.onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
      const { default: manifest } = await import(path, { with: { type: "json" } })
      return { contents: JSON.stringify({ version: manifest.version }), loader: "json" }
    })
}

/** Keeps the other bundles out of the front, which loads them with `import()`. */
const lazy: esbuild.Plugin = {
  name: "lazy",
  setup: (build) =>
    build.onResolve({ filter: /^\.\.\/(run|exec|durable|records)\// }, ({ path }) => ({
      // seen from the folder of `main.js`, into which the modules of `front/` are bundled
      path: path.replace(/^\.\./, ".").replace(/\.ts$/, ".js"),
      external: true
    }))
}

/** The path from the folder of a bundle to that of the library. */
const above = "../../"

/** Returns the module of the compiled library that a module of the command imports, if it does. */
const moduleOf = ({ importer, path }: esbuild.OnResolveArgs): string | undefined => {
  const file = resolve(dirname(importer), path)
  if (!importer.startsWith(cli) || file.startsWith(`${cli}/`) || !file.startsWith(`${src}/`)) return undefined
  return relative(src, file).replace(/\.ts$/, ".js")
}

/** Leaves the library's modules outside: a second copy of them would not know a user's services. */
const outside: esbuild.Plugin = {
  name: "outside",
  setup: (build) =>
    build.onResolve({ filter: /^\.\.?\// }, (args) => {
      const module = moduleOf(args)
      return module === undefined ? undefined : { path: `${above}${module}`, external: true }
    })
}

/** How the commands that run pipelines or post alerts are bundled. */
const ofRuns = {
  ...shared,
  entryPoints: [
    "run/run",
    "run/ack",
    "run/alert",
    "exec/exec",
    ...["commands", "run", "stored", "outbox", "ui"].map((name) => `durable/${name}`)
  ].map((file) => join(cli, `${file}.ts`)),
  outbase: cli,
  splitting: true,
  // as deep as the others, since the paths to the library are the same for all
  chunkNames: "shared/[name]-[hash]",
  // `@effect/sql-pg` is an optional peer, which a user installs for Postgres
  external: ["effect", "effect/*", "@effect/sql-pg"]
} satisfies esbuild.BuildOptions

/** What the command imports of the library, by the paths of compiled modules. */
export interface Imported {
  /** The modules that each of the commands loads. */
  readonly atOnce: ReadonlyArray<ReadonlyArray<string>>
  /** The modules that they load later, if at all. */
  readonly later: ReadonlyArray<string>
}

/** Finds what the commands that run pipelines or post alerts import of the library. */
export const imported = async (): Promise<Imported> => {
  const { metafile: { outputs } } = await esbuild.build({
    ...ofRuns,
    metafile: true,
    outdir: ".",
    plugins: [outside],
    write: false
  })
  const libraryOf = (paths: Iterable<string>, kind: string): ReadonlyArray<string> =>
    [...paths].flatMap((path) => outputs[path]!.imports).flatMap((imported) =>
      imported.kind === kind && imported.path.startsWith(above) ? [imported.path.slice(above.length)] : []
    )
  const atOnce = Object.entries(outputs).flatMap(([path, { entryPoint }]) => {
    if (entryPoint === undefined || !ofRuns.entryPoints.includes(join(root, entryPoint))) return []
    const loaded = new Set([path])
    for (const path of loaded) {
      for (const { external, kind, path: other } of outputs[path]!.imports) {
        if (kind === "import-statement" && external !== true) loaded.add(other)
      }
    }
    return [libraryOf(loaded, "import-statement")]
  })
  return { atOnce, later: libraryOf(Object.keys(outputs), "dynamic-import") }
}

/** Returns the paths of the files whose code is in the bundle: others were found, and then left out. */
const inputsOf = ({ metafile }: esbuild.BuildResult): ReadonlyArray<string> =>
  Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => bytesInOutput > 0 ? [join(root, path)] : [])
  )

/** Removes the outputs that are no entry points and that nothing imports: esbuild makes one of each dynamic import that it leaves out. */
const removeUnused = async (metafile: esbuild.Metafile, entryPoints: ReadonlyArray<string>): Promise<void> => {
  const { outputs } = metafile
  for (let before = -1; before !== Object.keys(outputs).length;) {
    before = Object.keys(outputs).length
    const imported = new Set(Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path)))
    for (const [path, { entryPoint }] of Object.entries(outputs)) {
      const isEntry = entryPoint !== undefined && entryPoints.includes(join(root, entryPoint))
      if (isEntry || imported.has(path)) continue
      delete outputs[path]
      await rm(join(root, path))
    }
  }
}

/**
 * Writes the bundles to a folder, which must be in the folder of the compiled library. Returns the paths of the files
 * that they contain.
 */
export const bundle = async (folder: string, library: Library): Promise<ReadonlyArray<string>> => {
  const front = await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "main.ts")],
    outdir: folder,
    plugins: [version, lazy]
  })
  await chmod(join(folder, "main.js"), 0o755)
  const records = await esbuild.build({
    ...shared,
    entryPoints: ["records", "charts"].map((name) => join(cli, "records", `${name}.ts`)),
    outdir: join(folder, "records"),
    // an optional peer, which a user installs for pictures
    external: ["@resvg/resvg-js"]
  })
  const runs = await esbuild.build({
    ...ofRuns,
    outdir: folder,
    // the server of the page contains `ws`, a CommonJS module that requires those of the runtime
    banner: {
      js: "import { createRequire as requireFrom } from \"node:module\"\nconst require = requireFrom(import.meta.url)"
    },
    plugins: [library.imports(above, moduleOf)]
  })
  if (runs.metafile !== undefined) await removeUnused(runs.metafile, ofRuns.entryPoints)
  return [front, records, runs].flatMap(inputsOf)
}
