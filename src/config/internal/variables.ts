/** Says in words which variables a `ConfigError` of effect is about. */
import * as SchemaIssue from "effect/SchemaIssue"
import { tagOf } from "../../internal/text/read.ts"
import type { Refusal } from "./modules/refusal.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns what an error says of variables that are missing or wrong, and nothing of any other error. */
export const variableProblems = (error: unknown): ReadonlyArray<Refusal> => {
  if (tagOf(error) !== "ConfigError") return []
  // the cast: tagged values are objects; the error may be of another copy of effect, so its class says nothing
  const { cause } = error as { readonly cause?: { readonly issue?: unknown } }
  if (!SchemaIssue.isIssue(cause?.issue)) return []
  return format(cause.issue).issues.map(({ message, path = [] }) => {
    // as effect joins the parts for the environment
    const name = path.map((part) => String(typeof part === "object" ? part.key : part)).join("_")
    // a variable that is there is always a string
    return message === "Expected string"
      ? { expected: `the variable ${name} to be set`, found: "no such variable" }
      // the value itself may be a secret
      : { expected: `the variable ${name} to hold ${message.replace(/^Expected /, "")}`, found: "something else" }
  })
}
