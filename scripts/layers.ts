/**
 * Counts the layers of the code: its parts, the longest chain of imports from one part to
 * another, and the cycles. Imports of types count as imports of values do, since a reader
 * has to follow both. Exits with 1 if a figure is over its budget.
 *
 *     bun scripts/layers.ts
 */
import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import process from "node:process"
import ts from "typescript-6"

/** Maps each node to the nodes that it imports. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>

const budget = { parts: 29, layers: 8 }

/**
 * The files whose cycle may stay. `ApproverKey` has the type of the class `Approver`, which
 * extends it: the key stands beside `requireApproval`, so that a step does not load `Approver`.
 */
const accepted = ["src/Approver.ts", "src/internal/steps/requireApproval.ts"]

/**
 * Returns the part that a file belongs to: a module of the surface (`src/Step.ts`) is a
 * part by itself, the inside of the core (`src/internal`) is one, and so is each area.
 */
export const partOf = (file: string): string => {
  const [top, folder, rest] = file.split("/")
  return top !== "src" ? top! : rest === undefined ? file : `src/${folder}`
}

/** Like {@link partOf}, but takes apart the folders of the core and those of the command. */
export const folderOf = (file: string): string => {
  const part = partOf(file)
  return part === "src/internal" || part === "src/cli" ? file.split("/", 3).join("/") : part
}

/** Returns the specifiers of a file's imports: `import`, `export … from`, `import()` and types such as `import("./x.ts").X`. */
const specifiersOf = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: ts.Node): void => {
    const specifier = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
      ? node.argument.literal
      : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
      ? node.arguments[0]
      : undefined
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest))
  return found
}

/** Reads which of the files import which. */
export const importsOf = (files: ReadonlyMap<string, string>): Graph =>
  new Map([...files].map(([file, text]) => {
    const targets = specifiersOf(text).map((specifier) => posix.join(posix.dirname(file), specifier))
    return [file, new Set(targets.filter((target) => target !== file && files.has(target)))]
  }))

/** Makes one node of all files that `nodeOf` gives the same name. */
export const grouped = (imports: Graph, nodeOf: (file: string) => string): Graph => {
  const groups = new Map<string, Set<string>>()
  for (const [file, targets] of imports) {
    const node = nodeOf(file)
    const others = groups.get(node) ?? new Set()
    for (const target of targets) if (nodeOf(target) !== node) others.add(nodeOf(target))
    groups.set(node, others)
  }
  return groups
}

/**
 * Returns the groups of nodes that can reach one another (Tarjan's strongly connected
 * components), each after the groups that it imports.
 */
export const components = (graph: Graph): ReadonlyArray<ReadonlyArray<string>> => {
  const found: Array<ReadonlyArray<string>> = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: Array<string> = []
  const visit = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const target of graph.get(node) ?? []) {
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(node, Math.min(low.get(node)!, low.get(target)!))
    }
    if (low.get(node) === index.get(node)) found.push(stack.splice(stack.indexOf(node)).toSorted())
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return found
}

/** Returns the groups of more than one node, each of which holds at least one cycle. */
export const cyclesOf = (graph: Graph): ReadonlyArray<ReadonlyArray<string>> =>
  components(graph).filter(({ length }) => length > 1)

/** Returns the longest chain of imports, from the ground up. The nodes of a cycle are one link of it. */
export const longestChain = (graph: Graph): ReadonlyArray<string> => {
  const chains = new Map<string, ReadonlyArray<string>>()
  let longest: ReadonlyArray<string> = []
  for (const nodes of components(graph)) {
    let below: ReadonlyArray<string> = []
    for (const target of nodes.flatMap((node) => [...graph.get(node)!])) {
      const chain = nodes.includes(target) ? [] : chains.get(target)!
      if (chain.length > below.length) below = chain
    }
    const chain = [...below, nodes.join(" <-> ")]
    for (const node of nodes) chains.set(node, chain)
    if (chain.length > longest.length) longest = chain
  }
  return longest
}

/**
 * Splits the imports of parts at the border of the core: `src/internal` is the ground, and
 * what it imports from modules of the surface runs against the layers.
 */
export const splitUpward = (parts: Graph): { readonly layered: Graph; readonly upward: ReadonlyArray<string> } => {
  const isSurface = (part: string) => /^src\/[^/]+\.ts$/.test(part)
  const targets = [...parts.get("src/internal") ?? []]
  return {
    layered: new Map(parts).set("src/internal", new Set(targets.filter((target) => !isSurface(target)))),
    upward: targets.filter(isSurface).toSorted()
  }
}

const root = join(import.meta.dirname, "..")

/** Reads the files that are counted. Tests import every part, so they say nothing of the layers. */
const read = (): ReadonlyMap<string, string> =>
  new Map(
    ["src", "bench", "scripts"]
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`)
      )
      .concat("mod.ts")
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file, readFileSync(join(root, file), "utf8")])
  )

const main = (): void => {
  const imports = importsOf(read())
  const parts = grouped(imports, partOf)
  const folders = grouped(imports, folderOf)
  const { layered, upward } = splitUpward(parts)
  const chain = longestChain(layered)
  let failed = false
  const show = (ok: boolean, figure: string, details: ReadonlyArray<string> = []) => {
    failed ||= !ok
    console.log(`${ok ? "✓" : "✗"} ${figure}`)
    for (const detail of details) console.log(`    ${detail}`)
  }
  const showCycles = (name: string, graph: Graph, nodeOf: (file: string) => string) => {
    const cycles = cyclesOf(graph)
    const mayStay = accepted.map(nodeOf).join()
    show(
      cycles.every((cycle) => cycle.join() === mayStay),
      `cycles of ${name}: ${cycles.length}, 1 may stay`,
      cycles.flatMap((cycle, nth) =>
        cycle.flatMap((from) =>
          [...graph.get(from)!].flatMap((to) => cycle.includes(to) ? [`${nth + 1}. ${from} -> ${to}`] : [])
        )
      )
    )
  }
  show(parts.size <= budget.parts, `parts: ${parts.size} of ${budget.parts}`)
  show(chain.length <= budget.layers, `layers: ${chain.length} of ${budget.layers}`, [chain.join(" < ")])
  showCycles("files", imports, (file) => file)
  showCycles("folders", folders, folderOf)
  console.log(`  against the layers: ${upward.length}`)
  for (const part of upward) console.log(`    src/internal -> ${part}`)
  process.exitCode = failed ? 1 : 0
}

if (import.meta.main) main()
