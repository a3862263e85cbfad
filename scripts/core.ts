/**
 * Makes one file of the modules of the core that every script loads, in the folder of the compiled library. Runtimes take
 * longer to find and link 86 small modules than to parse one. The modules stay where they were, and hand on what the
 * file has: a subpath, another area and the command load the same code.
 */
import * as esbuild from "esbuild"
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

/** The modules that begin it. None of them loads `Schema`, and so the file doesn't. */
const entries = ["Alert", "Alerter", "AlerterHooks", "Hook", "Hooks", "Pipeline", "Step", "StepContext"]

const file = "core.js"

const shared: esbuild.BuildOptions = {
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "neutral",
  target: "es2024",
  logLevel: "warning"
}

/** Bundles modules of a folder, each by itself and in memory, and returns what esbuild says of that. */
const looked = async (folder: string, modules: ReadonlyArray<string>): Promise<esbuild.Metafile> => {
  const { metafile } = await esbuild.build({
    ...shared,
    absWorkingDir: folder,
    entryPoints: [...modules],
    outdir: ".",
    write: false,
    metafile: true
  })
  return metafile
}

/** Returns a name for an export that no other module's export has. */
const nameIn = (module: string, name: string): string => `${module.replace(/\.js$/, "").replaceAll("/", "$")}$${name}`

/** Returns the path by which a module imports another. */
const from = (module: string, to: string): string => {
  const path = relative(dirname(module), to)
  return path.startsWith(".") ? path : `./${path}`
}

/** Writes the file, and makes the modules of it hand on its exports. */
export const write = async (folder: string): Promise<void> => {
  if (existsSync(join(folder, file))) throw new Error(`${join(folder, file)} is there already: compile src again`)
  const { inputs } = await looked(folder, entries.map((entry) => `${entry}.js`))
  const modules = Object.keys(inputs).toSorted()
  const { outputs } = await looked(folder, modules)
  const exports = new Map(Object.values(outputs).map(({ entryPoint = "", exports }) => [entryPoint, exports]))
  const list = (module: string, clause: (name: string) => string) => exports.get(module)!.map(clause).join(", ")
  await esbuild.build({
    ...shared,
    absWorkingDir: folder,
    stdin: {
      contents: modules.map((module) =>
        `export { ${list(module, (name) => `${name} as ${nameIn(module, name)}`)} } from "./${module}"\n`
      ).join(""),
      resolveDir: folder
    },
    outfile: file,
    sourcemap: true
  })
  for (const module of modules) {
    const path = join(folder, module)
    const clause = list(module, (name) => `${nameIn(module, name)} as ${name}`)
    writeFileSync(path, clause === "" ? "export {}\n" : `export { ${clause} } from "${from(module, file)}"\n`)
    rmSync(`${path}.map`)
  }
}
