/** The signatures of declarations, as the source has them, with links to the types that they name. */
import ts from "typescript-6"
import { escape, highlighted } from "./html.ts"

/** A part of the source, or a text that stands between two. */
type Part = string | { readonly file: ts.SourceFile; readonly from: number; readonly to: number }

/** A signature: its text, and for each character the place in the source from which it comes. */
export interface Signature {
  readonly text: string
  readonly places: ReadonlyArray<number>
}

const part = (node: ts.Node, to = node.getEnd(), from = node.getStart()): Part => ({
  file: node.getSourceFile(),
  from,
  to
})

/** Joins parts, and moves the lines of each to the left by as much as its first line is indented. */
const join = (parts: ReadonlyArray<Part>): Signature => {
  let text = ""
  const places: Array<number> = []
  for (const part of parts) {
    if (typeof part === "string") {
      text += part
      for (let n = 0; n < part.length; n++) places.push(-1)
      continue
    }
    const { file, from, to } = part
    const lineStart = file.text.lastIndexOf("\n", from - 1) + 1
    const indent = /^ */.exec(file.text.slice(lineStart, from))![0].length
    for (let place = from; place < to; place++) {
      const atLineStart = place > from && file.text[place - 1] === "\n"
      if (atLineStart && file.text.slice(place, place + indent).trim() === "") place += indent
      if (place >= to) break
      text += file.text[place]
      places.push(place)
    }
  }
  return { text, places }
}

/** The modifiers of a class's member that say something to its users. */
const shownModifiers = new Set([
  ts.SyntaxKind.StaticKeyword,
  ts.SyntaxKind.ReadonlyKeyword,
  ts.SyntaxKind.AbstractKeyword
])

const modifiers = (node: ts.Node): string =>
  ts.canHaveModifiers(node)
    ? (ts.getModifiers(node) ?? []).filter(({ kind }) => shownModifiers.has(kind)).map((modifier) =>
      `${modifier.getText()} `
    ).join("")
    : ""

/** Returns the start of a declaration behind its modifiers. */
const startOf = (node: ts.Node): number => {
  const last = ts.canHaveModifiers(node) ? ts.getModifiers(node)?.at(-1) : undefined
  return last === undefined
    ? node.getStart()
    : last.getEnd() + /^\s*/.exec(node.getSourceFile().text.slice(last.getEnd()))![0].length
}

/** Returns a function's name, parameters and result. */
const callable = (name: string, of: ts.ArrowFunction): ReadonlyArray<Part> => {
  const end = (of.type ?? of.parameters.at(-1) ?? of).getEnd()
  return [
    `const ${name}: `,
    part(of, of.type === undefined ? end : of.type.pos - 1),
    " => ",
    ...(of.type ? [part(of.type)] : [])
  ]
}

/** Returns what a class extends, unless that is a constant: then its type, which says what the class has of it. */
const heritage = (node: ts.ClassDeclaration, checker: ts.TypeChecker): ReadonlyArray<Part> => {
  const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
  if (clause === undefined) return []
  const symbol = checker.getSymbolAtLocation(clause.expression)
  const base = symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const declared = base?.valueDeclaration
  if (declared === undefined || !ts.isVariableDeclaration(declared) || declared.type === undefined) return []
  const { type } = declared
  return [" extends ", part(ts.isConstructorTypeNode(type) ? type.type : type)]
}

/** Returns the signature of a declaration, without its body. */
export const signatureOf = (node: ts.Node, checker: ts.TypeChecker): Signature => {
  if (ts.isVariableDeclaration(node)) {
    const name = node.name.getText()
    const { initializer, type } = node
    if (type !== undefined) return join([`const ${name}: `, part(type)])
    return join(
      initializer !== undefined && ts.isArrowFunction(initializer) ? callable(name, initializer) : [`const ${name}`]
    )
  }
  if (ts.isClassDeclaration(node)) {
    const to = (node.typeParameters?.at(-1) ?? node.name!).getEnd()
    return join([part(node, to, startOf(node)), node.typeParameters ? ">" : "", ...heritage(node, checker)])
  }
  if (ts.isInterfaceDeclaration(node)) {
    if (node.members.some(ts.isCallSignatureDeclaration)) return join([part(node, node.getEnd(), startOf(node))])
    const to = (node.heritageClauses?.at(-1) ?? node.typeParameters?.at(-1) ?? node.name).getEnd()
    const closes = node.heritageClauses === undefined && node.typeParameters !== undefined
    return join([part(node, to, startOf(node)), closes ? ">" : ""])
  }
  if (ts.isPropertyDeclaration(node)) {
    const to = (node.type ?? node.initializer ?? node.name).getEnd()
    return join([modifiers(node), part(node, to, startOf(node))])
  }
  if (ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node) || ts.isGetAccessor(node)) {
    const from = ts.isGetAccessor(node) ? node.name.getStart() : startOf(node)
    return join([
      modifiers(node),
      ...(ts.isGetAccessor(node) && node.type !== undefined
        ? ["readonly ", part(node.name), ": ", part(node.type)]
        : [part(node, node.body?.pos ?? node.getEnd(), from)])
    ])
  }
  return join([part(node, node.getEnd(), startOf(node))])
}

/** Finds what an identifier of a signature links to. */
export type LinkOf = (symbol: ts.Symbol) => string | undefined

/** Returns the links of a declaration's identifiers by their place in the source. */
const linksIn = (
  node: ts.Node,
  checker: ts.TypeChecker,
  linkOf: LinkOf
): ReadonlyMap<number, [end: number, href: string]> => {
  const found = new Map<number, [number, string]>()
  const visit = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner)) {
      const symbol = checker.getSymbolAtLocation(inner)
      if (symbol === undefined || symbol.declarations?.includes(node as ts.Declaration)) return
      const href = linkOf(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
      if (href !== undefined) found.set(inner.getStart(), [inner.getEnd(), href])
    } else ts.forEachChild(inner, visit)
  }
  visit(node)
  // what a class extends may be the type of a constant elsewhere in the file
  if (ts.isClassDeclaration(node)) {
    for (const statement of node.getSourceFile().statements) if (ts.isVariableStatement(statement)) visit(statement)
  }
  return found
}

/** Returns a signature as HTML: highlighted, with links. */
export const signatureHtml = (node: ts.Node, checker: ts.TypeChecker, linkOf: LinkOf): string => {
  const { places, text } = signatureOf(node, checker)
  const links = linksIn(node, checker, linkOf)
  let at = 0
  let open: number | undefined
  let html = ""
  for (const [token] of highlighted(text, "typescript").matchAll(/<[^>]+>|&[a-z#0-9]+;|[^<&]/g)) {
    if (token.startsWith("<")) {
      html += token
      continue
    }
    const link = links.get(places[at] ?? -1)
    if (open === undefined && link !== undefined) {
      html += `<a href="${escape(link[1])}">`
      open = link[0]
    }
    html += token
    at += 1
    if (open !== undefined && (places[at] ?? -1) >= open) {
      html += "</a>"
      open = undefined
    } else if (open !== undefined && places[at] === -1) {
      html += "</a>"
      open = undefined
    }
  }
  return open === undefined ? html : `${html}</a>`
}
