/** Tells errors of a storage, which may be over later, from errors of a statement or a value, which stay. */
import { hasProperty } from "effect/Predicate"
import { codeOf, errcodeOf } from "../../../internal/files/sqlite.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import type { StorageReason } from "./storageFailed.ts"

/** A fault of a storage. */
export interface Problem {
  readonly reason: StorageReason
  readonly detail: string
}

/** The file of a database is not the one any more that was opened. */
export class FileLost extends Error {
  readonly reason: "Missing" | "Replaced"
  constructor(reason: "Missing" | "Replaced", detail: string) {
    super(detail)
    this.reason = reason
  }
}

/** Whether somebody has to do something about it before it can be over: waiting does not help. */
export const isFinal = (reason: StorageReason): boolean => reason === "Corrupt" || reason === "Replaced"

/** Whether the file is not where it was. */
export const isLost = (reason: StorageReason): boolean => reason === "Missing" || reason === "Replaced"

/** Result codes of SQLite, from https://www.sqlite.org/rescode.html */
const sqliteReasons: ReadonlyMap<number, StorageReason> = new Map([
  [5, "Locked"],
  [6, "Locked"],
  [8, "ReadOnly"],
  [11, "Corrupt"],
  [13, "Full"],
  [14, "Unreachable"],
  [15, "Locked"],
  [26, "Corrupt"]
])

/** Errors whose reason is the statement or its value, which another try can't change. */
const sqliteMistakes: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25])

/** SQLSTATE codes of Postgres, from https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresReasons: ReadonlyArray<readonly [prefix: string, StorageReason]> = [
  ["53100", "Full"],
  ["25006", "ReadOnly"],
  ["55", "Locked"],
  ["40", "Locked"],
  ["XX001", "Corrupt"],
  ["XX002", "Corrupt"],
  ["08", "Unreachable"],
  ["57P", "Unreachable"],
  ["28", "Unreachable"]
]

/** Classes of values and statements that are wrong. Rights (42501) may be given later. */
const postgresMistake = /^(?:22|23|42(?!501)|0A)/

/** As effect classifies errors of any database. */
const effectReasons: Readonly<Record<string, StorageReason>> = {
  ConnectionError: "Unreachable",
  AuthenticationError: "Unreachable",
  AuthorizationError: "ReadOnly",
  DeadlockError: "Locked",
  SerializationError: "Locked",
  LockTimeoutError: "Locked",
  StatementTimeoutError: "Unreachable"
}

const effectMistakes: ReadonlySet<string> = new Set(["SqlSyntaxError", "UniqueViolation", "ConstraintError"])

const sqlState = /^[0-9A-Z]{5}$/

/** Returns an error and those that it wraps, as `SqlError`s and `PersistenceError`s do. */
const chain = (cause: unknown): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  for (let at = cause; at !== undefined && at !== null && found.length < 8;) {
    found.push(at)
    at = hasProperty(at, "reason") && typeof at.reason === "object"
      ? at.reason
      : hasProperty(at, "cause")
      ? at.cause
      : undefined
  }
  return found
}

const classify = (error: unknown): StorageReason | "mistake" | undefined => {
  if (error instanceof FileLost) return error.reason
  const errcode = errcodeOf(error)
  if (errcode !== undefined) {
    const code = errcode & 0xff
    return sqliteMistakes.has(code) ? "mistake" : sqliteReasons.get(code) ?? "Failing"
  }
  const code = codeOf(error)
  if (error instanceof TypeError || code?.startsWith("ERR_INVALID_ARG") === true) return "mistake"
  if (code !== undefined && sqlState.test(code) && !code.startsWith("E")) {
    if (postgresMistake.test(code)) return "mistake"
    return postgresReasons.find(([prefix]) => code.startsWith(prefix))?.[1]
  }
  const tag = hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : ""
  return effectMistakes.has(tag) ? "mistake" : effectReasons[tag]
}

/**
 * Returns what is wrong with the storage, by the innermost error that says so; `undefined` where the statement or its
 * value is wrong, so that it fails in the same way however often it is tried.
 */
export const problemOf = (cause: unknown): Problem | undefined => {
  const errors = chain(cause).toReversed()
  const detail = errors.length === 0 ? "" : errorMessage(errors[0])
  for (const error of errors) {
    const found = classify(error)
    if (found === "mistake") return undefined
    if (found !== undefined) return { reason: found, detail }
  }
  return { reason: "Failing", detail }
}
