/** Alerts as JSON: for files, for webhooks, and for policies that keep alerts between runs. */
import * as DateTime from "effect/DateTime"
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Alert, type Attachment } from "../../Alert.ts"
import { severities } from "../model/severity.ts"

const Optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)

/** The Schema of a severity. */
export const SeverityJson = Schema.Literals(severities)

const fields = {
  title: Schema.String,
  body: Optional(Schema.String),
  severity: SeverityJson,
  fields: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String })),
  detail: Optional(Schema.String),
  dedupeKey: Optional(Schema.String),
  idempotencyKey: Optional(Schema.String),
  url: Optional(Schema.String),
  actions: Optional(Schema.Array(Schema.Struct({ label: Schema.String, url: Schema.String }))),
  tags: Schema.Array(Schema.String),
  source: Optional(Schema.Struct({
    pipeline: Schema.String,
    runId: Schema.String,
    runName: Schema.String,
    stepPath: Schema.Array(Schema.String),
    stepKey: Optional(Schema.String),
    stepLabels: Optional(Schema.Array(Schema.String)),
    attempt: Optional(Schema.Int)
  })),
  resolves: Optional(Schema.Boolean),
  quiet: Optional(Schema.Boolean),
  told: Optional(Schema.Array(Schema.String)),
  notes: Optional(Schema.Array(Schema.Struct({
    kind: Schema.Literals(["held back", "in a row", "not attached", "open"]),
    name: Schema.String,
    count: Optional(Schema.Int),
    since: Optional(Schema.Finite)
  }))),
  attachments: Optional(
    Schema.Array(Schema.Struct({ name: Schema.String, mediaType: Schema.String, content: Schema.String }))
  ),
  at: Optional(Schema.String)
}

/** The Schema of an alert that is about no others. Fields that the alert does not have are left out. */
export const SingleJson = Schema.Struct(fields)

const withRecovers = { ...fields, recovers: Optional(Schema.Array(SingleJson)) }

/** The Schema of an alert. */
export const AlertJson = Schema.Struct({
  ...withRecovers,
  combines: Optional(Schema.Array(Schema.Struct(withRecovers)))
})

/** @internal */
export type AlertJson = typeof AlertJson.Type

type Defined<A> =
  & { [K in keyof A as undefined extends A[K] ? never : K]: A[K] }
  & { [K in keyof A as undefined extends A[K] ? K : never]?: Exclude<A[K], undefined> }

/** Returns an object without the properties that are undefined, as JSON would have it. */
const defined = <A extends object>(value: A): Defined<A> =>
  // a cast, since `fromEntries` forgets the keys
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Defined<A>

const written = <A>(alert: Alert, attached: (attachment: Attachment) => A) => {
  const { _tag, actions, at, attachments, resolves, source, ...rest } = alert
  return defined({
    ...rest,
    actions: actions.length === 0 ? undefined : actions,
    resolves: resolves === (alert.severity === "success") ? undefined : resolves,
    quiet: alert.quiet ? true : undefined,
    source: source && defined(source),
    attachments: attachments.length === 0 ? undefined : attachments.map(attached),
    at: at === undefined ? undefined : DateTime.formatIso(at)
  })
}

/** Converts an alert to JSON without those that it is about. */
export const single = (alert: Alert): typeof SingleJson.Type => ({
  ...written(alert, ({ content, mediaType, name }) => ({ name, mediaType, content: Base64.encode(content) })),
  ...(alert.told.length === 0 ? {} : { told: alert.told }),
  ...(alert.notes.length === 0 ? {} : { notes: alert.notes.map(defined) })
})

/** Converts an alert to JSON that {@link fromJson} reads, with its attachments in base64. */
export const toJson = (alert: Alert): AlertJson =>
  alert.combines.length === 0 ? plain(alert) : { ...plain(alert), combines: alert.combines.map(plain) }

const plain = (alert: Alert): Omit<AlertJson, "combines"> =>
  alert.recovers.length === 0 ? single(alert) : { ...single(alert), recovers: alert.recovers.map(single) }

/** Converts an alert to JSON for other programs, with the names and sizes of attachments and not their contents. */
export const toBriefJson = (alert: Alert): unknown =>
  written(alert, ({ content, mediaType, name }) => ({ name, mediaType, size: content.length }))

/** Reads an alert. Leaves out an invalid time or attachment, so that the rest of the alert is not lost. */
export const fromJson = ({ at, attachments, combines, recovers, ...rest }: AlertJson): Alert =>
  Alert.make({
    ...rest,
    recovers: recovers?.map(fromJson),
    combines: combines?.map(fromJson),
    attachments: attachments?.flatMap(({ content, mediaType, name }) => {
      const bytes = Base64.decode(content)
      return bytes._tag === "Success" ? [{ name, mediaType, content: bytes.success }] : []
    }),
    at: at === undefined ? undefined : Option.getOrUndefined(DateTime.make(at))
  })
