/** The public modules, and what each exports, as the compiler resolves it. */
import { posix } from "node:path"
import ts from "typescript-6"
import manifest from "../../package.json" with { type: "json" }
import { type Docstring, docstringOf, docstringOfModule, isInternal, noDocstring } from "./comments.ts"
import { root } from "./pages.ts"

/** A property or a method of an export. */
export interface Member {
  readonly name: string
  readonly node: ts.Node
  readonly doc: Docstring
}

export interface Export {
  readonly name: string
  readonly symbol: ts.Symbol
  /** Its declarations: one, several overloads, or an interface with a constant of the same name. */
  readonly nodes: ReadonlyArray<ts.Node>
  readonly doc: Docstring
  readonly members: ReadonlyArray<Member>
  /** The types in its namespace, such as `Alerter.Shape`. */
  readonly inner: ReadonlyArray<Export>
}

export interface Module {
  /** The name in the reference: `Step`, `alerters/Slack`. */
  readonly name: string
  /** The module to import, which may export this one as a namespace: `effect-epilogue/durable` for `durable/Durable`. */
  readonly specifier: string
  /** The path of its page in the site. */
  readonly path: string
  readonly doc: Docstring
  readonly exports: ReadonlyArray<Export>
  /** The names of modules that it exports as namespaces, by their names there. */
  readonly namespaces: ReadonlyMap<string, string>
  /** Exports that are those of other modules, by their names. */
  readonly elsewhere: ReadonlyMap<string, ts.Symbol>
}

export interface Library {
  readonly checker: ts.TypeChecker
  readonly modules: ReadonlyArray<Module>
}

/** The files of the public modules by their specifiers. */
const files: ReadonlyArray<readonly [specifier: string, file: string]> = Object.entries(manifest.exports).flatMap(
  ([subpath, entry]) =>
    typeof entry === "string"
      ? []
      : [[posix.join(manifest.name, subpath), posix.join(root, entry["@effect-epilogue/source"])] as const]
)

/** Makes a program of the package's own files: types of others are not looked into, which takes a second less. */
const program = (): ts.Program => {
  const options: ts.CompilerOptions = { allowImportingTsExtensions: true, noLib: true, noEmit: true, types: [] }
  const host = ts.createCompilerHost(options, true)
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => ({
      resolvedModule: text.startsWith(".")
        ? { resolvedFileName: posix.join(posix.dirname(from), text), extension: ts.Extension.Ts }
        : undefined
    }))
  return ts.createProgram({ rootNames: files.map(([, file]) => file), options, host })
}

const isHidden = (node: ts.Node): boolean =>
  isInternal(docstringOf(node)) ||
  (ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword))

const membersOf = (node: ts.Node): ReadonlyArray<Member> => {
  const members: ReadonlyArray<ts.TypeElement | ts.ClassElement> = ts.isClassDeclaration(node)
    ? node.members
    : ts.isInterfaceDeclaration(node)
    ? node.members
    : ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type)
    ? node.type.members
    : []
  // the implementation of overloads is no signature of its own
  const overloaded = new Set(
    members.filter((member) => ts.isMethodDeclaration(member) && member.body === undefined).map((member) =>
      member.name?.getText()
    )
  )
  return members.flatMap((member) => {
    const isConstructor = ts.isConstructorDeclaration(member)
    const name = isConstructor ? "constructor" : member.name?.getText()
    if (name === undefined || name.startsWith("#") || name.startsWith("[") || isHidden(member)) return []
    if (ts.isMethodDeclaration(member) && member.body !== undefined && overloaded.has(name)) return []
    return [{ name, node: member, doc: docstringOf(member) }]
  })
}

/** Returns the statement of a declaration, which has its docstring. */
const statementOf = (node: ts.Node): ts.Node => ts.isVariableDeclaration(node) ? node.parent.parent : node

const isDocumented = (node: ts.Node): boolean =>
  ts.isVariableDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) || ts.isFunctionDeclaration(node)

const read = (checker: ts.TypeChecker, name: string, symbol: ts.Symbol): Export => {
  const declarations = symbol.declarations ?? []
  const nodes = declarations.filter(isDocumented)
  const docs = declarations.map((node) => docstringOf(statementOf(node)))
  const inner = declarations.filter(ts.isModuleDeclaration).flatMap((node) => {
    const of = checker.getSymbolAtLocation(node.name)
    return of === undefined ?
      [] :
      checker.getExportsOfModule(of).filter((symbol) =>
        symbol.declarations?.some((declaration) => declaration.parent.parent === node)
      )
  })
  return {
    name,
    symbol,
    nodes,
    doc: docs.find(({ text }) => text !== "") ?? noDocstring,
    members: nodes.flatMap(membersOf),
    inner: inner.map((symbol) => read(checker, `${name}.${symbol.name}`, symbol))
  }
}

const isModule = (symbol: ts.Symbol): boolean => symbol.declarations?.some(ts.isSourceFile) ?? false

interface Entry {
  readonly name: string
  readonly specifier: string
  readonly file: ts.SourceFile
}

/** Reads the public modules. What several of them export belongs to the first that is not the root or an index. */
export const library = (): Library => {
  const of = program()
  const checker = of.getTypeChecker()
  const target = (symbol: ts.Symbol) => symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const exportsOf = (file: ts.SourceFile) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(file)!).map((symbol) =>
      [symbol.name, target(symbol)] as const
    )
  const entries: ReadonlyArray<Entry> = files.map(([specifier, file]) => ({
    name: posix.relative(manifest.name, specifier) || manifest.name,
    specifier,
    file: of.getSourceFile(file)!
  }))
  // modules without a subpath of their own, such as `Durable` of `effect-epilogue/durable`
  const nested = entries.flatMap(({ file, name, specifier }): ReadonlyArray<Entry> =>
    exportsOf(file).flatMap(([namespace, symbol]) => {
      const module = symbol.declarations?.find(ts.isSourceFile)
      return module === undefined || entries.some(({ file }) => file === module)
        ? []
        : [{ name: `${name}/${namespace}`, specifier, file: module }]
    })
  )
  const all = [...entries, ...nested].toSorted((a, b) => a.name.localeCompare(b.name, "en"))
  const owner = new Map<ts.Symbol, Entry>()
  const isIndex = ({ file }: Entry) => Number(file.fileName.endsWith("/index.ts"))
  for (const entry of all.toSorted((a, b) => isIndex(a) - isIndex(b))) {
    for (const [, symbol] of exportsOf(entry.file)) {
      if (!isModule(symbol) && !owner.has(symbol)) owner.set(symbol, entry)
    }
  }
  const modules = all.map((entry): Module => {
    const exports = exportsOf(entry.file)
    return {
      name: entry.name,
      specifier: entry.specifier,
      path: `api/${entry.specifier === manifest.name ? "index" : entry.name}.html`,
      doc: docstringOfModule(entry.file),
      exports: exports.filter(([, symbol]) => owner.get(symbol) === entry).map(([name, symbol]) =>
        read(checker, name, symbol)
      ),
      namespaces: new Map(exports.flatMap(([name, symbol]) => {
        const module = symbol.declarations?.find(ts.isSourceFile)
        const at = all.find(({ file }) => file === module)
        return at === undefined ? [] : [[name, at.name]]
      })),
      elsewhere: new Map(exports.filter(([, symbol]) => !isModule(symbol) && owner.get(symbol) !== entry))
    }
  })
  return { checker, modules }
}
