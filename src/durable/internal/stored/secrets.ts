/** Refuses schemas by which secrets would be stored as they are. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"

/** The fields of a `StoredSecret`. */
export interface StoredSecretFields {
  /** The name of the pipeline or the step. */
  readonly owner: string
  /** The schema that has them. */
  readonly schema: "payload" | "success" | "error"
  /** The paths of the `Redacted` in the schema. `""` stands for the whole. */
  readonly paths: ReadonlyArray<string>
}

const Base: new(fields: StoredSecretFields) => Cause.YieldableError & StoredSecretFields & {
  readonly _tag: "StoredSecret"
} = Data.TaggedError("StoredSecret")<StoredSecretFields>

export class StoredSecret extends Base {
  override get message(): string {
    const { owner, paths, schema } = this
    const where = paths.map((path) => path === "" ? schema : `${schema}.${path}`).join(", ")
    return `${JSON.stringify(owner)} would store a secret as it is: ${where} ${
      paths.length === 1 ? "is" : "are"
    } Redacted. Store the name of the secret and read its value in a step, or annotate a schema that encrypts it with `
      + "{ sealed: true }"
  }
}

/** A step that is made anew for each call has the same schemas each time. */
const accepted = new WeakSet<SchemaAST.AST>()

/** Throws a {@link StoredSecret} if a schema has a `Redacted` that is not annotated as sealed. */
export const refuseSecrets = (name: string, schema: StoredSecretFields["schema"], stored: Schema.Top): void => {
  if (accepted.has(stored.ast)) return
  const paths = [...new Set(secretsIn(stored.ast, [], new Set()))]
  if (paths.length === 0) accepted.add(stored.ast)
  else throw new StoredSecret({ owner: name, schema, paths })
}

const secretsIn = (
  ast: SchemaAST.AST,
  path: ReadonlyArray<string>,
  seen: Set<SchemaAST.AST>
): ReadonlyArray<string> => {
  const annotations: Readonly<Record<string, unknown>> = ast.annotations ?? {}
  if (annotations["sealed"] === true || seen.has(ast)) return []
  const within = new Set([...seen, ast])
  const inside = (part: SchemaAST.AST, ...names: ReadonlyArray<string>) => secretsIn(part, [...path, ...names], within)
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
