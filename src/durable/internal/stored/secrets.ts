/** Refuses schemas by which secrets would be stored as they are. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { redactedIn } from "../../../internal/model/redactedIn.ts"

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
  const paths = [...new Set(redactedIn(stored.ast))]
  if (paths.length === 0) accepted.add(stored.ast)
  else throw new StoredSecret({ owner: name, schema, paths })
}
