/** Alerts as an outbox stores them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Alert } from "../../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { AlertJson, fromJson, toJson } from "../../../internal/alerts/json.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import { sha256 } from "../sha256.ts"

/** The channel of an outbox in errors. */
export const channel = "outbox"

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()
const encode = Schema.encodeUnknownEffect(AlertJson, { errors: "first" })
const decodeText = Schema.decodeUnknownExit(Schema.fromJsonString(AlertJson))

const invalid = (detail: string): AlerterError =>
  new AlerterError({
    channel,
    reason: AlerterErrorReason.InvalidAlert({ detail: `the alert can't be stored: ${detail}` })
  })

/** Says where an alert does not fit its schema: types do not hold for what comes from outside, as from `process.env`. */
const explain = (error: unknown): string => {
  if (!Schema.isSchemaError(error)) return errorMessage(error)
  const [first] = formatIssue(error.issue).issues
  const path = (first?.path ?? []).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment
    return typeof key === "number" ? `[${key}]` : `.${String(key)}`
  }).join("")
  return `alert${path}: ${first?.message ?? "it does not fit"}`
}

/** Returns the JSON of an alert, or says where the alert can't be stored. */
export const storable = (alert: Alert): Effect.Effect<AlertJson, AlerterError> =>
  Effect.mapError(
    Effect.flatMap(Effect.try({ try: () => toJson(alert), catch: (error) => error }), (json) => encode(json)),
    (error) => invalid(explain(error))
  )

/** Reads a stored alert. */
export const read = (text: string): Exit.Exit<Alert, unknown> => {
  return Exit.map(decodeText(text), fromJson)
}

/** The number of hexadecimal digits of an id: no two alerts have the same, and people can read it out. */
const digits = 20

/** Returns the id under which an alert is stored: the same for each alert with its key, and for one without a key a new one. */
export const idOf = (queue: string, { idempotencyKey: key }: Alert): Effect.Effect<string> =>
  Effect.map(
    sha256(JSON.stringify([queue, key ? key : globalThis.crypto.randomUUID()])),
    (hash) => hash.slice(0, digits)
  )

/** Returns the id of the run whose hook has posted an alert, or of the question that the alert asks. */
export const runOf = ({ idempotencyKey = "" }: Alert): string =>
  // as Postgres takes it
  idempotencyKey.split("/", 1)[0]!.slice(0, 255).replaceAll("\0", "").toWellFormed()
