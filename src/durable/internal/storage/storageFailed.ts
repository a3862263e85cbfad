/** The error of waiting for a run whose storage fails for too long. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { formatDuration } from "../../../internal/text/duration.ts"
import { selfExplained } from "../../../internal/text/selfExplained.ts"

/** Why a storage fails. */
export const storageReasons = [
  "Full",
  "ReadOnly",
  "Locked",
  "Missing",
  "Replaced",
  "Corrupt",
  "Unreachable",
  "Failing"
] as const

/** The reason for which a storage fails. */
export type StorageReason = typeof storageReasons[number]

/** The fields of a {@link StorageFailed}. */
export interface StorageFailedFields {
  /** The path of the database file, or the kind of database. */
  readonly storage: string
  /** Whether it can't be read, or can't be written. */
  readonly operation: "read" | "write"
  readonly reason: StorageReason
  /** The message of the database itself. */
  readonly detail: string
  /** For how long it had failed. */
  readonly failingFor: Duration.Duration
}

const Base: new(fields: StorageFailedFields) =>
  & Cause.YieldableError
  & { readonly _tag: "StorageFailed" }
  & StorageFailedFields = selfExplained(Data.TaggedError("StorageFailed")<StorageFailedFields>)

const reasons: Readonly<Record<StorageReason, string>> = {
  Full: "the disk is full",
  ReadOnly: "it is read-only",
  Locked: "another process has locked it",
  Missing: "the file is gone",
  Replaced: "there is another file in its place",
  Corrupt: "it is corrupt",
  Unreachable: "it can't be reached",
  Failing: "it fails"
}

/** Describes what is wrong with a storage, without for how long that has been so. */
export const describeFailure = (
  { detail, operation, reason, storage }: Omit<StorageFailedFields, "failingFor">
): string =>
  `${storage} can't be ${operation === "read" ? "read" : "written"}: ${reasons[reason]}${
    detail === "" ? "" : ` (${detail})`
  }`

export class StorageFailed extends Base {
  override get message(): string {
    const millis = Duration.toMillis(this.failingFor)
    return `${describeFailure(this)}${millis >= 1000 ? `, for ${formatDuration(millis)}` : ""}. ` +
      "The run has not ended: it goes on when that is mended, in a process that runs it"
  }
}
