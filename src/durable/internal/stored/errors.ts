/** Schemas of the errors that the library adds to those of a step. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { Decision, NotApproved } from "../../../Approver.ts"
import { HookError } from "../../../Hook.ts"
import { kinds } from "../../../internal/model/hooks.ts"
import { isStepSkipped, StepSkipped } from "../../../internal/model/skip.ts"
import { legibleDefect } from "../../../internal/text/legible.ts"
import { isInstanceOf } from "../../../internal/text/read.ts"
import { CrashedTooOften } from "../crashes/crashedTooOften.ts"
import * as CodeChanged from "../runs/codeChanged.ts"
import { StorageFailed, storageReasons } from "../storage/storageFailed.ts"
import { Unstorable } from "./unstorable.ts"

/** @internal */
export const Kind = Schema.Literals(kinds)

/** @internal */
export type LibraryError =
  | StepSkipped
  | CrashedTooOften
  | StorageFailed
  | Unstorable
  | HookError
  | NotApproved
  | AlerterError
  | Cause.TimeoutError

const toLegible = SchemaTransformation.transform({
  decode: (defect: unknown): unknown => CodeChanged.fromStored(defect) ?? defect,
  encode: (defect: unknown): unknown =>
    isInstanceOf(defect, CodeChanged.CodeChanged) ? CodeChanged.toStored(defect) : legibleDefect(defect)
})

/** Schemas of defects. What can't be read or stored of one is stored as text. */
export const StoredDefect: Schema.Codec<unknown, Schema.Json> = Schema.Defect().pipe(
  Schema.decodeTo(Schema.Unknown, toLegible)
)

/** As {@link StoredDefect}, with the stack. */
export const StoredDefectWithStack: Schema.Codec<unknown, Schema.Json> = Schema.Defect({ includeStack: true }).pipe(
  Schema.decodeTo(Schema.Unknown, toLegible)
)

const Optional = <S extends Schema.Top>(schema: S) => Schema.optionalKey(schema)

const Person = Schema.Struct({ id: Schema.String, name: Schema.String })

const Answer = { by: Person, at: Schema.DateTimeUtcFromMillis, comment: Optional(Schema.String) }

const DecisionFields = Schema.Union([
  Schema.TaggedStruct("Approved", { ...Answer, values: Optional(Schema.Json) }),
  Schema.TaggedStruct("Denied", Answer),
  Schema.TaggedStruct("TimedOut", { at: Schema.DateTimeUtcFromMillis })
])

/** Removes the keys whose value is `undefined`, which an optional key's schema rejects. */
const compact = <A extends object>(value: A): A =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as A // the cast: those keys are optional

/** The schema of an approver's decision. */
export const DecisionStored: Schema.Codec<Decision, unknown> = DecisionFields.pipe(
  Schema.decodeTo(
    Schema.declare((u: unknown): u is Decision => isDecision(u)),
    SchemaTransformation.transform({
      decode: (fields): Decision =>
        fields._tag === "TimedOut" ? Decision.TimedOut({ at: fields.at }) : Decision[fields._tag](fields),
      encode: (decision) => compact(decision) as typeof DecisionFields.Type
    })
  )
)

const isDecision = (u: unknown): boolean =>
  typeof u === "object" && u !== null && "_tag" in u &&
  (u._tag === "Approved" || u._tag === "Denied" || u._tag === "TimedOut")

const ReasonFields = Schema.Union([
  Schema.TaggedStruct("Unauthorized", { detail: Optional(Schema.String) }),
  Schema.TaggedStruct("RateLimited", { retryAfter: Optional(Schema.Number) }),
  Schema.TaggedStruct("Rejected", { status: Optional(Schema.Number), detail: Schema.String }),
  Schema.TaggedStruct("Unreachable", { detail: Optional(Schema.String) }),
  Schema.TaggedStruct("TimedOut", { limit: Optional(Schema.Number) }),
  Schema.TaggedStruct("InvalidAlert", { detail: Schema.String })
])

const toReason = (fields: typeof ReasonFields.Type): AlerterErrorReason => {
  switch (fields._tag) {
    case "RateLimited":
      return AlerterErrorReason.RateLimited(
        fields.retryAfter === undefined ? {} : { retryAfter: Duration.millis(fields.retryAfter) }
      )
    case "TimedOut":
      return AlerterErrorReason.TimedOut(fields.limit === undefined ? {} : { limit: Duration.millis(fields.limit) })
    default:
      return fields
  }
}

const fromReason = Data.taggedEnum<AlerterErrorReason>().$match({
  Unauthorized: (reason): typeof ReasonFields.Type => compact(reason) as typeof ReasonFields.Type,
  Unreachable: (reason) => compact(reason) as typeof ReasonFields.Type,
  Rejected: (reason) => compact(reason) as typeof ReasonFields.Type,
  InvalidAlert: (reason) => reason,
  RateLimited: ({ _tag, retryAfter }) =>
    retryAfter === undefined ? { _tag } : { _tag, retryAfter: Duration.toMillis(retryAfter) },
  TimedOut: ({ _tag, limit }) => limit === undefined ? { _tag } : { _tag, limit: Duration.toMillis(limit) }
})

// Stored under tags of their own: a user's error with the same tag would be decoded as the library's.

/** The tag under which a skip is stored. */
export const skippedTag = "effect-epilogue/StepSkipped" as const

const HookErrorStored = Schema.TaggedStruct("effect-epilogue/HookError", {
  hook: Schema.String,
  kind: Kind,
  pipelineName: Schema.String,
  stepName: Schema.String,
  cause: StoredDefect
}).pipe(Schema.decodeTo(
  Schema.instanceOf(HookError),
  SchemaTransformation.transform({
    decode: ({ _tag, ...fields }) => new HookError(fields),
    encode: ({ cause, hook, kind, pipelineName, stepName }) => ({
      _tag: "effect-epilogue/HookError" as const,
      cause,
      hook,
      kind,
      pipelineName,
      stepName
    })
  })
))

const NotApprovedStored = Schema.TaggedStruct("effect-epilogue/NotApproved", {
  step: Schema.String,
  decision: DecisionStored
}).pipe(Schema.decodeTo(
  Schema.instanceOf(NotApproved),
  SchemaTransformation.transform({
    // the cast: a `NotApproved` is stored with such a decision only
    decode: ({ decision, step }) => new NotApproved({ step, decision: decision as NotApproved["decision"] }),
    encode: ({ decision, step }) => ({ _tag: "effect-epilogue/NotApproved" as const, decision, step })
  })
))

/** @internal */
export const AlerterErrorStored: Schema.Codec<AlerterError, unknown> = Schema.TaggedStruct(
  "effect-epilogue/AlerterError",
  {
    channel: Schema.String,
    reason: ReasonFields
  }
).pipe(Schema.decodeTo(
  Schema.instanceOf(AlerterError),
  SchemaTransformation.transform({
    decode: ({ channel, reason }) => new AlerterError({ channel, reason: toReason(reason) }),
    encode: ({ channel, reason }) => ({
      _tag: "effect-epilogue/AlerterError" as const,
      channel,
      reason: fromReason(reason)
    })
  })
))

const TimeoutErrorStored = Schema.TaggedStruct("effect-epilogue/TimeoutError", {
  message: Schema.String,
  running: Optional(Schema.String)
}).pipe(
  Schema.decodeTo(
    Schema.declare(Cause.isTimeoutError),
    SchemaTransformation.transform({
      decode: ({ message, running }) => {
        const error = new Cause.TimeoutError(message)
        return running === undefined ? error : Object.assign(error, { running })
      },
      encode: (error) => {
        const running = "running" in error && typeof error.running === "string" ? { running: error.running } : {}
        return { _tag: "effect-epilogue/TimeoutError" as const, message: error.message, ...running }
      }
    })
  )
)

const StepSkippedStored = Schema.TaggedStruct(skippedTag, { reason: Optional(Schema.String) }).pipe(
  Schema.decodeTo(
    Schema.declare(isStepSkipped),
    SchemaTransformation.transform({
      decode: ({ reason }) => new StepSkipped({ reason }),
      encode: ({ reason }) => ({ _tag: skippedTag, ...(reason === undefined ? {} : { reason }) })
    })
  )
)

const CrashedTooOftenStored = Schema.TaggedStruct("effect-epilogue/CrashedTooOften", {
  pipelineName: Schema.String,
  stepName: Schema.String,
  runId: Schema.String,
  hook: Optional(Schema.String),
  crashes: Schema.Finite,
  death: Optional(Schema.String)
}).pipe(Schema.decodeTo(
  Schema.instanceOf(CrashedTooOften),
  SchemaTransformation.transform({
    decode: ({ _tag, ...fields }) => new CrashedTooOften(fields),
    encode: ({ crashes, death, hook, pipelineName, runId, stepName }) => ({
      _tag: "effect-epilogue/CrashedTooOften" as const,
      pipelineName,
      stepName,
      runId,
      ...(hook === undefined ? {} : { hook }),
      crashes,
      ...(death === undefined ? {} : { death })
    })
  })
))

/** Of a run that has waited for one elsewhere. */
const StorageFailedStored = Schema.TaggedStruct("effect-epilogue/StorageFailed", {
  storage: Schema.String,
  operation: Schema.Literals(["read", "write"]),
  reason: Schema.Literals(storageReasons),
  detail: Schema.String,
  failingFor: Schema.Number
}).pipe(Schema.decodeTo(
  Schema.instanceOf(StorageFailed),
  SchemaTransformation.transform({
    decode: ({ _tag, failingFor, ...fields }) =>
      new StorageFailed({ ...fields, failingFor: Duration.millis(failingFor) }),
    encode: ({ detail, failingFor, operation, reason, storage }) => ({
      _tag: "effect-epilogue/StorageFailed" as const,
      detail,
      failingFor: Duration.toMillis(failingFor),
      operation,
      reason,
      storage
    })
  })
))

const UnstorableStored = Schema.TaggedStruct("effect-epilogue/Unstorable", {
  stepName: Schema.String,
  value: Schema.Literals(["result", "error", "payload"]),
  path: Schema.String,
  found: Schema.String,
  error: Optional(Schema.String)
}).pipe(Schema.decodeTo(
  Schema.instanceOf(Unstorable),
  SchemaTransformation.transform({
    decode: ({ _tag, ...fields }) => new Unstorable(fields),
    encode: ({ error, found, path, stepName, value }) => ({
      _tag: "effect-epilogue/Unstorable" as const,
      stepName,
      value,
      path,
      found,
      ...(error === undefined ? {} : { error })
    })
  })
))

const library = [
  StepSkippedStored,
  CrashedTooOftenStored,
  UnstorableStored,
  HookErrorStored,
  NotApprovedStored,
  AlerterErrorStored,
  TimeoutErrorStored,
  StorageFailedStored
] as const

const anyOfLibrary = Schema.Union(library)

/** Returns the schema of the library's errors and, if there are any, the user's. */
export const withLibrary = (error: Schema.Top | undefined): Schema.Top =>
  error === undefined ? anyOfLibrary : Schema.Union([...library, error])

/** Whether an error is one of the library. */
export const isLibraryError: (error: unknown) => error is LibraryError = Schema.is(anyOfLibrary)

const decodeLibrary = Schema.decodeUnknownOption(anyOfLibrary)

/** Returns the error of the library that is stored as this, or `undefined` for anything else. */
export const libraryErrorOf = (stored: unknown): LibraryError | undefined =>
  hasProperty(stored, "_tag") && String(stored._tag).startsWith("effect-epilogue/")
    ? Option.getOrUndefined(decodeLibrary(stored))
    : undefined
