/**
 * Marks what a module makes while it is loaded as pure, as effect's own build does: a bundler may then drop a constant or
 * a class that nobody uses. No module of the library does anything else while it is loaded.
 */
import * as ts from "typescript-6"

const mark = "/* @__PURE__ */ "

/** A text to be put into the code of a module. */
interface Insertion {
  readonly at: number
  readonly text: string
}

/** Returns the code of a module with its calls marked, and with that made by a marked call which bundlers would keep. */
export const marked = (code: string): string => {
  const source = ts.createSourceFile("module.js", code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS)
  return source.statements.flatMap(insertionsFor).toSorted((a, b) => b.at - a.at).reduce(
    (text, { at, text: inserted }) => text.slice(0, at) + inserted + text.slice(at),
    code
  )
}

const insertionsFor = (statement: ts.Statement): ReadonlyArray<Insertion> => {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ initializer }) =>
      initializer === undefined ? [] : isDropped(initializer) ? marksIn(initializer) : wrapping(initializer, "(", ")")
    )
  }
  if (!ts.isClassDeclaration(statement) || statement.name === undefined) return []
  if (isDroppedClass(statement)) return marksIn(statement)
  const keyword = statement.getChildren().find(({ kind }) => kind === ts.SyntaxKind.ClassKeyword)!
  const [before, after] = wrapping(statement, "", "")
  return [{ at: keyword.getStart(), text: `const ${statement.name.text} = ${before!.text}` }, after!]
}

/** Makes an expression be returned by a function that is called at once. */
const wrapping = (node: ts.Node, open: string, close: string): ReadonlyArray<Insertion> => [
  { at: node.getStart(), text: `${mark}(() => ${open}` },
  { at: node.getEnd(), text: `${close})()` }
]

/** Returns a mark for each call that is made while the module is loaded. */
const marksIn = (node: ts.Node): ReadonlyArray<Insertion> => {
  const places = new Set<number>()
  const visit = (node: ts.Node): void => {
    // a function runs when it is called, and the field of an instance is set when that is made
    if (ts.isFunctionLike(node) || (ts.isPropertyDeclaration(node) && !isStatic(node))) return
    // the calls of a chain, `f(x).pipe(y)`, begin at one place
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) places.add(node.getStart())
    ts.forEachChild(node, visit)
  }
  visit(node)
  return [...places].map((at) => ({ at, text: mark }))
}

const isStatic = (node: ts.PropertyDeclaration): boolean =>
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) === true

/** Returns whether bundlers drop an expression that nobody uses, once its calls are marked. */
const isDropped = (node: ts.Expression): boolean => {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    return isDroppedCallee(node.expression) && (node.arguments ?? []).every(isDropped)
  }
  // anything else may have an accessor
  if (ts.isPropertyAccessExpression(node)) return isModule(node.expression)
  if (ts.isParenthesizedExpression(node)) return isDropped(node.expression)
  if (ts.isPrefixUnaryExpression(node)) return ts.isLiteralExpression(node.operand)
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isDropped)
  if (ts.isObjectLiteralExpression(node)) return node.properties.every(isDroppedProperty)
  if (ts.isClassExpression(node)) return isDroppedClass(node)
  return ts.isLiteralExpression(node) || ts.isIdentifier(node) || ts.isFunctionLike(node) || isKeyword(node)
}

/** Returns whether bundlers drop the callee of a marked call: with the call goes the property that is called. */
const isDroppedCallee = (node: ts.Expression): boolean =>
  ts.isPropertyAccessExpression(node) ? isDroppedCallee(node.expression) : isDropped(node)

/** Returns whether an expression is the name of all that a module exports. */
const isModule = (node: ts.Expression): boolean =>
  ts.isIdentifier(node) && node.getSourceFile().statements.some((statement) => {
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
    return bindings !== undefined && ts.isNamespaceImport(bindings) && bindings.name.text === node.text
  })

const isKeyword = ({ kind }: ts.Node): boolean =>
  kind === ts.SyntaxKind.TrueKeyword || kind === ts.SyntaxKind.FalseKeyword || kind === ts.SyntaxKind.NullKeyword

const isDroppedProperty = (node: ts.ObjectLiteralElementLike): boolean =>
  // the key may be computed, which calls its `toString`, and a spread object may have accessors
  node.name !== undefined && !ts.isComputedPropertyName(node.name) &&
  (!ts.isPropertyAssignment(node) || isDropped(node.initializer))

const isDroppedClass = (node: ts.ClassLikeDeclaration): boolean =>
  node.members.every((member) =>
    !ts.isClassStaticBlockDeclaration(member) &&
    (member.name === undefined || !ts.isComputedPropertyName(member.name)) &&
    (!ts.isPropertyDeclaration(member) || !isStatic(member) || member.initializer === undefined ||
      isDropped(member.initializer))
  ) && (node.heritageClauses ?? []).every(({ types }) => types.every(({ expression }) => isDropped(expression)))
