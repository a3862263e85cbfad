/** The error of a value that can't be stored as JSON, and the search for such values. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { errorMessage } from "../../../internal/text/errors.ts"
import { selfExplained } from "../../../internal/text/selfExplained.ts"
import { memoize } from "../memoize.ts"

/** The fields of an `Unstorable`. */
export interface UnstorableFields {
  /** The name of the step, or of the pipeline for its own result and payload. */
  readonly stepName: string
  readonly value: "result" | "error" | "payload"
  /** Where in the value, as in `rows[3].id`. Empty for the whole. */
  readonly path: string
  /** The thing there, as in `a bigint`. */
  readonly found: string
  /** The message of an error that can't be stored. */
  readonly error?: string | undefined
}

const Base: new(fields: UnstorableFields) => Cause.YieldableError & UnstorableFields & {
  readonly _tag: "Unstorable"
} = selfExplained(Data.TaggedError("Unstorable")<UnstorableFields>)

export class Unstorable extends Base {
  override get message(): string {
    const { error, found, path, stepName, value } = this
    const where = path === "" ? value : `${value}${path.startsWith("[") ? "" : "."}${path}`
    const original = error === undefined ? "" : `. The error: ${error}`
    return `"${stepName}": its ${value} can't be stored: ${where} is ${found}${original}`
  }
}

type Path = ReadonlyArray<string | number>

/** A part of a value that JSON does not have. */
interface NoJson {
  readonly path: Path
  readonly found: string
}

/** The reason why a record can't be stored: a part of it has no JSON, or does not fit its schema. */
export type Problem = NoJson | { readonly unfit: string }

/** Shows a path as code would have it. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)
        ? `${text}${text === "" ? "" : "."}${key}`
        : `${text}[${JSON.stringify(key)}]`,
    ""
  )

/** How deep a value may be nested: engines, and readers, recurse into it. */
const maxDepth = 1_000

class Search {
  problem: NoJson | undefined
  /** Whether the value is what its JSON is read as. */
  isPlain = true
  private readonly path: Array<string | number> = []
  private readonly around = new Set<object>()

  /** Returns whether the value can be stored. */
  visit(value: unknown): boolean {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true
      case "number":
        // else `null` in JSON
        this.isPlain &&= Number.isFinite(value)
        return true
      case "undefined":
        // `null` in an array
        this.isPlain &&= typeof this.path.at(-1) !== "number"
        return true
      case "object":
        return value === null || this.visitObject(value)
      default:
        // a script may have taught bigints JSON
        return typeof value === "bigint" && typeof Object(value).toJSON === "function"
          ? this.visitJson(value)
          : this.fail(`a ${typeof value}`)
    }
  }

  private visitJson(value: unknown): boolean {
    this.isPlain = false
    let json: unknown
    try {
      json = Object(value).toJSON(String(this.path.at(-1) ?? ""))
    } catch (error) {
      return this.fail(`a value whose toJSON throws: ${errorMessage(error)}`)
    }
    // JSON does not ask that for its own
    return typeof json === "object" && json !== null ? this.visitParts(json) : this.visit(json)
  }

  private visitObject(value: object): boolean {
    try {
      if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") return this.visitJson(value)
    } catch (error) {
      return this.fail(`a value that can't be read: ${errorMessage(error)}`)
    }
    return this.visitParts(value)
  }

  private visitParts(value: object): boolean {
    if (this.around.has(value)) return this.fail("a reference to what it is in")
    if (this.around.size >= maxDepth) return this.fail(`nested more than ${maxDepth} deep`)
    let keys: Iterable<string | number>
    try {
      if (Array.isArray(value)) keys = value.keys()
      else {
        keys = Object.keys(value)
        const prototype: unknown = Object.getPrototypeOf(value)
        this.isPlain &&= prototype === Object.prototype || prototype === null
      }
    } catch (error) {
      return this.fail(`a value that can't be read: ${errorMessage(error)}`)
    }
    this.around.add(value)
    for (const key of keys) {
      this.path.push(key)
      try {
        // the cast: these are the keys of the object
        if (!this.visit((value as Record<string | number, unknown>)[key])) return false
      } catch (error) {
        return this.fail(`a property that can't be read: ${errorMessage(error)}`)
      }
      this.path.pop()
    }
    this.around.delete(value)
    return true
  }

  private fail(found: string): false {
    this.problem ??= { path: [...this.path], found }
    return false
  }
}

/** Whether a value is what its JSON is read as, as nearly all are, without a search for what is not. */
const isPlain = (value: unknown, depth: number): boolean => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true
    case "number":
      return Number.isFinite(value)
    case "object":
      return value === null || (depth < maxDepth && hasPlainParts(value, depth + 1))
    default:
      return false
  }
}

const hasPlainParts = (value: object, depth: number): boolean => {
  if ("toJSON" in value) return false
  if (Array.isArray(value)) {
    // not `every`, which leaves out holes, that are `null` in JSON
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  // the cast: these are its keys
  for (const key of Object.keys(value)) if (!isPlain((value as Record<string, unknown>)[key], depth)) return false
  return true
}

/** Returns what JSON makes of a value, or why it can't be written as JSON. */
export const toPlain = (value: unknown): { readonly plain: unknown } | { readonly problem: NoJson } => {
  try {
    if (isPlain(value, 0)) return { plain: value }
  } catch {
    // a getter or a proxy: the search tells which
  }
  const search = new Search()
  if (!search.visit(value)) return { problem: search.problem! }
  return { plain: search.isPlain || value === undefined ? value : JSON.parse(JSON.stringify(value)) }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/** Whether a path leads into what a schema has refused. */
const isWithin = (path: Path, cause: Cause.Cause<unknown>): boolean => {
  const error = cause.reasons.find(Cause.isFailReason)?.error
  const refused = Schema.isSchemaError(error) ? formatIssue(error.issue).issues[0]?.path ?? [] : []
  return refused.every((segment, index) =>
    String(typeof segment === "object" ? segment.key : segment) === String(path[index])
  )
}

/** Where an exit is in a record, and its values in an exit. */
const places = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<readonly [Path, unknown]> =>
  Exit.isSuccess(exit)
    ? [[["exit", "value"], exit.value]]
    : exit.cause.reasons.flatMap((reason, index): ReadonlyArray<readonly [Path, unknown]> =>
      Cause.isFailReason(reason) ? [[["exit", "cause", index, "error"], reason.error]] : []
    )

/**
 * Returns why an exit, or a record with one, can't be encoded: the exit has no JSON (`Schema.Unknown` refuses all that has
 * none, without saying what), or does not fit its schema.
 */
export const problemOf = (record: unknown, cause: Cause.Cause<unknown>): Problem | undefined => {
  const exit: unknown = Exit.isExit(record) ? record : Object(record).exit
  if (!Exit.isExit(exit)) return undefined
  for (const [prefix, value] of places(exit)) {
    const found = toPlain(value)
    if ("plain" in found) continue
    const path = [...prefix, ...found.problem.path]
    if (isWithin(path, cause)) return { ...found.problem, path }
  }
  const error = Cause.squash(cause)
  return Schema.isSchemaError(error) ? { unfit: expectations(error) } : undefined
}

/** How many of the things that a schema expects, and of the errors of a cause, are named. */
const mostNamed = 3

const messages = ({ reasons }: Cause.Cause<unknown>): string =>
  reasons.flatMap((reason) => Cause.isInterruptReason(reason) ? [] : Cause.squash(Cause.fromReasons([reason])))
    .slice(0, mostNamed).map(errorMessage).join("; ")

/** Returns what a schema expects, in words, without those of the library's errors, which have no name. */
const expectations = ({ issue }: Schema.SchemaError): string => {
  const told = formatIssue(issue).issues.flatMap(({ message, path = [] }) => {
    if (message === "Expected <Declaration>") return []
    const keys = path.map((segment) => typeof segment === "object" ? segment.key : segment)
    const at = pathText(
      keys.slice(keys[1] === "cause" ? 5 : 2).map((key) => typeof key === "number" ? key : String(key))
    )
    return `${message}${at && ` at ${at}`}`
  })
  return [...new Set(told)].slice(0, mostNamed).join("; ")
}

/** Returns the exit that takes the place of one that can't be stored, for a reason. */
export const unstorableExit = (
  stepName: string,
  exit: Exit.Exit<unknown, unknown>,
  problem: Problem
): Exit.Exit<never, Unstorable> => {
  if ("unfit" in problem) {
    const [what, original] = Exit.isSuccess(exit) ? ["result", ""] : ["error", `. The error: ${messages(exit.cause)}`]
    const expected = problem.unfit && `: ${problem.unfit}`
    return Exit.die(new TypeError(`"${stepName}": its ${what} does not fit its schema${expected}${original}`))
  }
  const { found, path } = problem
  const isError = path[1] === "cause"
  return Exit.fail(
    new Unstorable({
      stepName,
      value: isError ? "error" : "result",
      path: pathText(path.slice(isError ? 4 : 2)),
      found,
      ...(isError && Exit.isFailure(exit) ? { error: errorMessage(Cause.squash(exit.cause)) } : {})
    })
  )
}

type Encode = (payload: unknown) => Exit.Exit<unknown, unknown>

const encoderOf = memoize((schema: Schema.Top): Encode =>
  // the cast: where a service of the schema is missing here, the engine has it, and tells what fails
  Schema.encodeUnknownExit(Schema.toCodecJson(schema) as unknown as Schema.Codec<unknown>)
)

/** Throws an {@link Unstorable} if a payload has no JSON. */
export const refusePayload = (pipelineName: string, schema: Schema.Top, payload: unknown): void => {
  const encoded = encoderOf(schema)(payload)
  const found = toPlain(Exit.isSuccess(encoded) ? encoded.value : payload)
  if ("plain" in found) return
  const { found: what, path } = found.problem
  if (Exit.isFailure(encoded) && !isWithin(path, encoded.cause)) return
  throw new Unstorable({ stepName: pipelineName, value: "payload", path: pathText(path), found: what })
}
