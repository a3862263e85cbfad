/** Finds what a schema says to be secret. */
import type * as SchemaAST from "effect/SchemaAST"

/** Returns the paths of each `Redacted` in a schema that is not annotated as sealed. `""` stands for the whole. */
export const redactedIn = (ast: SchemaAST.AST): ReadonlyArray<string> => within(ast, [], new Set())

const within = (
  ast: SchemaAST.AST,
  path: ReadonlyArray<string>,
  seen: Set<SchemaAST.AST>
): ReadonlyArray<string> => {
  const annotations: Readonly<Record<string, unknown>> = ast.annotations ?? {}
  if (annotations["sealed"] === true || seen.has(ast)) return []
  const deeper = new Set([...seen, ast])
  const inside = (part: SchemaAST.AST, ...names: ReadonlyArray<string>) => within(part, [...path, ...names], deeper)
  switch (ast._tag) {
    case "Declaration":
      return isRedacted(annotations["representation"])
        ? [path.join(".")]
        : ast.typeParameters.flatMap((part) => inside(part))
    case "Objects":
      return [
        ...ast.propertySignatures.flatMap(({ name, type }) => inside(type, String(name))),
        ...ast.indexSignatures.flatMap(({ type }) => inside(type, "*"))
      ]
    case "Arrays":
      return [
        ...ast.elements.flatMap((part, index) => inside(part, String(index))),
        ...ast.rest.flatMap((part) => inside(part, "*"))
      ]
    case "Union":
      return ast.types.flatMap((part) => inside(part))
    case "Suspend":
      return inside(ast.thunk())
    default:
      return []
  }
}

const isRedacted = (representation: unknown): boolean =>
  typeof representation === "object" && representation !== null && "id" in representation &&
  representation.id === "effect/schema/Redacted"
