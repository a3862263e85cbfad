/**
 * Bundles the command. The front and the commands for records are bundled with everything they
 * import, so that they start fast. The commands that run pipelines import `effect` and the
 * library from the package, so that they share both with a user's modules.
 */
import * as esbuild from "esbuild"
import { chmod } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"

const root = dirname(import.meta.dirname)
const library = join(root, "src")
const cli = join(library, "cli")

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
    build.onResolve({ filter: /^\.\.\/(run|durable|records)\// }, ({ path }) => ({
      // seen from the folder of `main.js`, into which the modules of `front/` are bundled
      path: path.replace(/^\.\./, ".").replace(/\.ts$/, ".js"),
      external: true
    }))
}

/** Leaves the library's modules outside: a second copy of them would not know a user's services. */
const outside: esbuild.Plugin = {
  name: "outside",
  setup: (build) =>
    build.onResolve({ filter: /^\.\.?\// }, ({ importer, path }) => {
      const file = resolve(dirname(importer), path)
      if (!importer.startsWith(cli) || file.startsWith(`${cli}/`) || !file.startsWith(`${library}/`)) return undefined
      return { path: join("..", "..", relative(library, file)).replace(/\.ts$/, ".js"), external: true }
    })
}

/** Returns the paths of the files whose code is in the bundle: others were found, and then left out. */
const inputsOf = ({ metafile }: esbuild.BuildResult): ReadonlyArray<string> =>
  Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => bytesInOutput > 0 ? [join(root, path)] : [])
  )

/**
 * Writes the bundles to a folder, which must be in the folder of the compiled library. Returns the paths of the files
 * that they contain.
 */
export const bundle = async (folder: string): Promise<ReadonlyArray<string>> => {
  const front = await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "main.ts")],
    outdir: folder,
    plugins: [version, lazy]
  })
  await chmod(join(folder, "main.js"), 0o755)
  const records = await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "records", "records.ts"), join(cli, "records", "charts.ts")],
    outdir: join(folder, "records"),
    // an optional peer, which a user installs for pictures
    external: ["@resvg/resvg-js"]
  })
  const runs = await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "run", "run.ts"), join(cli, "durable", "commands.ts")],
    outdir: folder,
    outbase: cli,
    // `@effect/sql-pg` is an optional peer, which a user installs for Postgres
    external: ["effect", "effect/*", "@effect/sql-pg"],
    plugins: [outside]
  })
  return [front, records, runs].flatMap(inputsOf)
}
