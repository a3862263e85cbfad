/**
 * Makes one file of the modules of the core that every script loads, in the folder of the compiled library. Runtimes take
 * longer to find and link 86 small modules than to parse one. The modules stay where they were, and hand on what the
 * file has: a subpath, another area and the command load the same code.
 */
import * as esbuild from "esbuild"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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

/** What the bundled modules import in place of other packages. */
const packages = "packages"

/** Returns a name for what is imported of a module, which no other import has. */
const nameOf = (module: string, what: string): string => `${module.replaceAll(/\W/g, "$")}$${what}`

/**
 * Lets the modules of a folder share their imports of other packages. esbuild repeats those of all the modules that it
 * bundles, and a runtime links each of them, however often.
 */
const sharing = (folder: string, modules: ReadonlyArray<string>): esbuild.Plugin => {
  const statements = new Map<string, string>()
  const withShared = (code: string) =>
    code.replace(
      /^import (?:\* as (\w+)|\{ (.+) \}) from "([^".][^"]*)";$/gm,
      (_, namespace: string | undefined, names: string, module: string) => {
        if (namespace !== undefined) {
          const name = nameOf(module, "namespace")
          const [short] = /\w+$/.exec(module)!
          statements.set(name, `import * as ${short} from "${module}"; export { ${short} as ${name} }`)
          return `import { ${name} as ${namespace} } from "${packages}";`
        }
        const clauses = names.split(", ").map((clause) => {
          const [what, local = what] = clause.split(" as ") as [string, string?]
          const name = nameOf(module, what)
          statements.set(name, `export { ${what} as ${name} } from "${module}"`)
          return `${name} as ${local}`
        })
        return `import { ${clauses.join(", ")} } from "${packages}";`
      }
    )
  const contents = new Map(modules.map((module) => {
    const path = join(folder, module)
    return [path, withShared(readFileSync(path, "utf8"))]
  }))
  return {
    name: "sharing",
    setup: (build) => {
      build.onLoad({ filter: /\.js$/ }, ({ path }) => ({ contents: contents.get(path)! }))
      build.onResolve({ filter: new RegExp(`^${packages}$`) }, ({ path }) => ({ path, namespace: packages }))
      build.onLoad({ filter: /./, namespace: packages }, () => ({
        contents: [...statements.values()].join("\n"),
        resolveDir: folder
      }))
    }
  }
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
    plugins: [sharing(folder, modules)],
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
