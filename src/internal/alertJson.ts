/** Alerts as JSON: for files, webhooks, and what policies keep between runs. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Alert } from "../Alert.ts"

const Optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)

/** An alert as it is written. What the alert does not have is left out. */
export const AlertJson = Schema.Struct({
  title: Schema.String,
  body: Optional(Schema.String),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  fields: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String })),
  detail: Optional(Schema.String),
  dedupeKey: Optional(Schema.String),
  idempotencyKey: Optional(Schema.String),
  tags: Schema.Array(Schema.String),
  source: Optional(Schema.Struct({
    pipeline: Schema.String,
    runId: Schema.String,
    runName: Schema.String,
    stepPath: Schema.Array(Schema.String),
    attempt: Optional(Schema.Int)
  })),
  at: Optional(Schema.String)
})

/** @internal */
export type AlertJson = typeof AlertJson.Type

/** @internal */
export const toJson = (alert: Alert): AlertJson => {
  const { _tag, at, ...rest } = alert
  // what is undefined is not written, so it need not be there
  return JSON.parse(JSON.stringify({ ...rest, at: at === undefined ? undefined : DateTime.formatIso(at) }))
}

/** A time that is none is left out, rather than the alert. */
export const fromJson = ({ at, ...rest }: AlertJson): Alert =>
  Alert.make({ ...rest, at: at === undefined ? undefined : Option.getOrUndefined(DateTime.make(at)) })
