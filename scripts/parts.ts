/**
 * Makes few files of the compiled library's modules. Runtimes take longer to find and link hundreds of small modules than
 * to parse some larger ones: on Node, a script that loads the config and all channels starts in a third less time.
 *
 * The modules that every script loads are one part, and so are those that the same areas of the library load: none loads
 * what it doesn't need. A part has the name of its module where only that one is imported from outside. Another part has a
 * name of its own, and its modules that are imported from outside hand on what it has, so that a subpath, another area and
 * the command load the same code.
 */
import * as esbuild from "esbuild"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"

/** The modules that begin the core. None of them loads `Schema`, and so the core doesn't. */
const coreEntries = ["Alert", "Alerter", "AlerterHooks", "Hook", "Hooks", "Pipeline", "Step", "StepContext"]

const core = "core"

const command = "command"

/** Areas of channels. Of a script that loads several of their modules, it matters little which. */
const channels = ["alerters", "approvers", "monitors"]

const shared: esbuild.BuildOptions = {
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "neutral",
  target: "es2024",
  logLevel: "warning"
}

/** Returns the path of the file of a part that has a name of its own. */
const fileOf = (name: string): string => `shared/${name}.js`

interface Imports {
  readonly static: ReadonlyArray<string>
  readonly dynamic: ReadonlyArray<string>
}

/** Modules by their paths, below the folder, with those that each imports. */
type Graph = ReadonlyMap<string, Imports>

/** Several modules, of which a file is made. */
interface Part {
  /** The path of the file. */
  readonly file: string
  readonly modules: ReadonlyArray<string>
  /** The modules that are imported from outside of it. */
  readonly imported: ReadonlyArray<string>
  /** Those of them that are loaded by their paths. */
  readonly files: ReadonlyArray<string>
}

/** What other code imports of the library, by the paths of its modules. */
export interface Entries {
  /** The subpaths of the package. */
  readonly subpaths: ReadonlyArray<string>
  /** The modules that each of some commands loads, whose imports are taken from the parts. */
  readonly commands: ReadonlyArray<ReadonlyArray<string>>
  /** The modules that the commands load later. */
  readonly later: ReadonlyArray<string>
}

/** The parts, as they are written. */
export interface Library {
  /**
   * Makes modules that are bundled import the library's parts, and not the modules in them. A module that hands on what a
   * part has is one file more to find.
   *
   * @param folder the path from the folder of the bundle to that of the library, with a slash
   * @param moduleOf returns the module of the library that is meant, if it is one
   */
  readonly imports: (folder: string, moduleOf: (args: esbuild.OnResolveArgs) => string | undefined) => esbuild.Plugin
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

const graphOf = async (folder: string, entries: ReadonlyArray<string>): Promise<Graph> => {
  const { inputs } = await looked(folder, entries)
  return new Map(
    Object.entries(inputs).map(([path, { imports }]) => {
      const of = (kind: string) =>
        imports.flatMap((imported) => imported.kind === kind && imported.external !== true ? [imported.path] : [])
      return [path, { static: of("import-statement"), dynamic: of("dynamic-import") }]
    })
  )
}

/** Returns the modules that are loaded with some, without those that they load later. */
const loadedBy = (graph: Graph, modules: ReadonlyArray<string>): ReadonlySet<string> => {
  const loaded = new Set(modules)
  // a set hands on what is added to it meanwhile
  for (const module of loaded) for (const imported of graph.get(module)!.static) loaded.add(imported)
  return loaded
}

/**
 * Returns the areas that load a module, as one name. Several channels are one area. The config loads all channels and
 * policies, and counts where nothing else does; so does the command, except for what it needs of the other areas.
 */
const areasOf = (loading: ReadonlySet<string>): string => {
  const areas = new Set([...loading].map((module) => module.replace(/(\/index)?\.js$/, "")))
  const ofChannels = [...areas].filter((area) => channels.includes(dirname(area)))
  if (ofChannels.length > 1) {
    for (const area of ofChannels) areas.delete(area)
    areas.add("channels")
  }
  for (const area of ofChannels.length > 0 ? [...channels, "config", command] : ["config"]) {
    if (areas.size > 1) areas.delete(area)
  }
  return [...areas].toSorted().join("-").replaceAll("/", ".")
}

/** Returns the parts of the library: all modules but those that are left as they are. */
const partsOf = (
  graph: Graph,
  left: ReadonlySet<string>,
  { commands, later, subpaths }: Entries
): ReadonlyArray<Part> => {
  const loading = new Map([...graph.keys()].map((module) => [module, new Set<string>()]))
  const roots = new Set([...subpaths, ...later, ...[...graph.values()].flatMap(({ dynamic }) => dynamic)])
  for (const root of roots) {
    for (const module of loadedBy(graph, [root])) loading.get(module)!.add(root)
  }
  for (const module of loadedBy(graph, commands.flat())) loading.get(module)!.add(command)
  const inCore = loadedBy(graph, coreEntries.map((entry) => `${entry}.js`))
  const groups = Map.groupBy(
    [...graph.keys()].filter((module) => !left.has(module)),
    (module) => inCore.has(module) ? core : areasOf(loading.get(module)!)
  )
  const named = new Map([...groups].flatMap(([name, modules]) => modules.map((module) => [module, name])))
  const files = new Set([...roots, ...[...left].flatMap((module) => graph.get(module)!.static)])
  const open = new Set([...files, ...commands.flat()])
  for (const [module, { static: imported }] of graph) {
    for (const other of imported) if (named.get(other) !== named.get(module)) open.add(other)
  }
  return [...groups].map(([name, modules]) => {
    const imported = modules.filter((module) => open.has(module)).toSorted()
    const [only, ...more] = imported
    return {
      file: only === undefined || more.length > 0 ? fileOf(name) : only,
      modules,
      imported,
      files: imported.filter((module) => files.has(module))
    }
  })
}

/**
 * Returns whether a module hands on whole namespaces. It is left as it is: bundlers drop those that a script does not use,
 * which in a part are objects.
 */
const handsOnNamespaces = (folder: string, module: string): boolean =>
  /^export \* as /m.test(readFileSync(join(folder, module), "utf8"))

/** What the bundled modules import in place of other packages. */
const packages = "packages"

/** Returns a name for what is imported of a module, which no other import has. */
const nameOf = (module: string, what: string): string => `${module.replaceAll(/\W/g, "$")}$${what}`

/**
 * Lets the modules of a part share their imports of other packages. esbuild repeats those of all the modules that it
 * bundles, and a runtime links each of them, however often.
 */
const sharing = (folder: string, { modules }: Part): esbuild.Plugin => {
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

/** Returns a name for an export that no other module's export has. */
const nameIn = (module: string, name: string): string => `${module.replace(/\.js$/, "").replaceAll(/\W/g, "$")}$${name}`

/** Returns the path from the folder of a module to that of the library, with a slash. */
const above = (module: string): string => `${relative(dirname(module), ".") || "."}/`

/** Returns the code of a module that hands on what its part exports of it. */
const handedOn = (module: string, names: ReadonlyArray<string>, path: string): string =>
  names.length === 0
    ? "export {}\n"
    : `export { ${names.map((name) => `${nameIn(module, name)} as ${name}`).join(", ")} } from "${path}"\n`

/** Makes the parts of the modules in a folder, and removes the modules that nobody loads by their paths. */
export const write = async (folder: string, entries: Entries): Promise<Library> => {
  if (existsSync(join(folder, fileOf(core)))) {
    throw new Error(`${join(folder, fileOf(core))} is there already: compile src again`)
  }
  const { commands, later, subpaths } = entries
  const begun = [...coreEntries.map((entry) => `${entry}.js`), ...subpaths, ...commands.flat(), ...later]
  const graph = await graphOf(folder, [...new Set(begun)])
  const left = new Set([...graph.keys()].filter((module) => handsOnNamespaces(folder, module)))
  const parts = partsOf(graph, left, entries)
  const { outputs } = await looked(folder, parts.flatMap(({ imported }) => imported))
  const exports = new Map(Object.values(outputs).map(({ entryPoint = "", exports }) => [entryPoint, exports]))
  const partOf = new Map(parts.flatMap((part) => part.modules.map((module) => [module, part])))
  const imports: Library["imports"] = (folder, moduleOf) => ({
    name: "parts",
    setup: (build) => {
      const namespace = "part"
      build.onResolve({ filter: /^\.\.?\// }, (args) => {
        if (args.namespace === namespace) return { path: args.path, external: true }
        const module = moduleOf(args)
        if (module === undefined) return undefined
        const isFile = args.kind === "dynamic-import" || left.has(module) || partOf.get(module)!.file === module
        return isFile ? { path: `${folder}${module}`, external: true } : { path: module, namespace }
      })
      build.onLoad({ filter: /./, namespace }, ({ path }) => ({
        contents: handedOn(path, exports.get(path)!, `${folder}${partOf.get(path)!.file}`)
      }))
    }
  })
  // all parts are made before a file is written, since each is made of the modules as they were
  const made = await Promise.all(parts.map((part) => {
    const { file, imported, modules } = part
    const clauses = (module: string) =>
      exports.get(module)!.map((name) => `${name} as ${nameIn(module, name)}`).join(", ")
    return esbuild.build({
      ...shared,
      absWorkingDir: folder,
      ...imported.includes(file) ? { entryPoints: [file] } : {
        stdin: {
          contents: imported.map((module) => `export { ${clauses(module)} } from "./${module}"\n`).join(""),
          resolveDir: folder
        }
      },
      plugins: [
        imports(above(file), ({ kind, path, resolveDir }) => {
          const module = relative(folder, resolve(resolveDir, path))
          return kind !== "dynamic-import" && modules.includes(module) ? undefined : module
        }),
        sharing(folder, part)
      ],
      outfile: file,
      sourcemap: true,
      write: false,
      allowOverwrite: true
    })
  }))
  for (const { file, files, modules } of parts) {
    for (const module of modules) {
      const path = join(folder, module)
      rmSync(path)
      rmSync(`${path}.map`)
      if (files.includes(module)) writeFileSync(path, handedOn(module, exports.get(module)!, `${above(module)}${file}`))
    }
  }
  mkdirSync(join(folder, dirname(fileOf(core))), { recursive: true })
  for (const { path, contents } of made.flatMap(({ outputFiles }) => outputFiles)) writeFileSync(path, contents)
  return { imports }
}
