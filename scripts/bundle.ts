/** Bundles the command: what begins it and what shows records with all they need, what runs pipelines with little of it. */
import * as esbuild from "esbuild"
import { chmod } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"

const root = dirname(import.meta.dirname)
const library = join(root, "src")
const cli = join(library, "cli")

const shared: esbuild.BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning"
}

/** Of the manifest, only the version. */
const version: esbuild.Plugin = {
  name: "version",
  setup: (build) =>
    build.onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
      const { default: manifest } = await import(path, { with: { type: "json" } })
      return { contents: JSON.stringify({ version: manifest.version }), loader: "json" }
    })
}

/** What meets a user's modules, and what few need, stays out of the bundle that begins the command. */
const lazy: esbuild.Plugin = {
  name: "lazy",
  setup: (build) =>
    build.onResolve({ filter: /^\.\.\/(run|durable|records)\// }, ({ path }) => ({
      // from the folder of `main.js`, which `front/` becomes a part of
      path: path.replace(/^\.\./, ".").replace(/\.ts$/, ".js"),
      external: true
    }))
}

/** The library's modules are those of the package, which a user's modules import too. */
const outside: esbuild.Plugin = {
  name: "outside",
  setup: (build) =>
    build.onResolve({ filter: /^\.\.?\// }, ({ importer, path }) => {
      const file = resolve(dirname(importer), path)
      if (!importer.startsWith(cli) || file.startsWith(`${cli}/`) || !file.startsWith(`${library}/`)) return undefined
      return { path: join("..", "..", relative(library, file)).replace(/\.ts$/, ".js"), external: true }
    })
}

/** Into a folder that is beside the library's modules. */
export const bundle = async (folder: string): Promise<void> => {
  await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "main.ts")],
    outdir: folder,
    plugins: [version, lazy]
  })
  await chmod(join(folder, "main.js"), 0o755)
  await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "records", "records.ts"), join(cli, "records", "charts.ts")],
    outdir: join(folder, "records"),
    // a peer, which is there where pictures are wanted
    external: ["@resvg/resvg-js"]
  })
  await esbuild.build({
    ...shared,
    entryPoints: [join(cli, "run", "run.ts"), join(cli, "durable", "commands.ts")],
    outdir: folder,
    outbase: cli,
    // a peer, which is there where it is needed
    external: ["effect", "effect/*", "@effect/sql-pg"],
    plugins: [outside]
  })
}
