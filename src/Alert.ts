/**
 * A message about a step or a run, as data: channels render it, each in its own
 * way, so nobody concatenates strings.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as internal from "./internal/text/redact.ts"

/**
 * How bad it is, least first.
 *
 * @category models
 * @since 0.1.0
 */
export type Severity = "info" | "success" | "warning" | "error" | "critical"

/**
 * A name and a short text, shown beside each other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Field {
  readonly name: string
  readonly value: string
}

/**
 * A file beside an alert: a picture, say. It is sent as it is, so what is secret must not be in it.
 *
 * `Email`, `Discord` and `Slack.layerBot` send up to 10 of them, and leave out what is larger than they take, as their
 * documentation says; other channels send none. A field `not attached` names what is left out. What is stored, by an
 * `Outbox` or a policy with `persist`, is stored with its attachments, so small is better.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attachment {
  /** The file's name, as in `"timeline.png"`. */
  readonly name: string
  /** As in `"image/png"` (https://www.iana.org/assignments/media-types). */
  readonly mediaType: string
  readonly content: Uint8Array
}

/**
 * Where an alert comes from, for what routes, threads and counts alerts. The
 * standard hooks fill it in.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertSource {
  readonly pipeline: string
  readonly runId: string
  readonly runName: string
  /** Names from the outermost step to this one; none where the run itself is meant. */
  readonly stepPath: ReadonlyArray<string>
  readonly attempt?: number | undefined
}

/**
 * What {@link Alert.make} takes. Only the title is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertInput {
  /** One line. */
  readonly title: string
  readonly body?: string | undefined
  /** `"info"` unless set. */
  readonly severity?: Severity | undefined
  /** As a list, or as a record of values of any type, in which a `Redacted` stays so. */
  readonly fields?: ReadonlyArray<Field> | Readonly<Record<string, unknown>> | undefined
  /** Shown as a code block: a stack trace, say. */
  readonly detail?: string | undefined
  /** What alerts about the same thing have in common. */
  readonly dedupeKey?: string | undefined
  /**
   * The same in each repeat of one and the same post, different for any other, so that
   * who receives a post twice can tell. (`dedupeKey` can't: tonight's failure and
   * tomorrow's have the same.) What a channel makes of it, its documentation says. An
   * empty one is none.
   */
  readonly idempotencyKey?: string | undefined
  /** Words to route by. The standard failure hook puts the tags of the errors here. */
  readonly tags?: ReadonlyArray<string> | undefined
  readonly source?: AlertSource | undefined
  /** What is sent beside it, where the channel can. */
  readonly attachments?: ReadonlyArray<Attachment> | undefined
  /** When it happened. `Alerter.layer` fills in the time of the post. */
  readonly at?: DateTime.Utc | undefined
}

/**
 * A structured message.
 *
 * @example
 * ```ts
 * import { Alert } from "effect-epilogue"
 *
 * const alert = Alert.make({
 *   title: "nightly-etl: validate failed",
 *   severity: "error",
 *   fields: { rows: 1461, bad: 3 }
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class Alert {
  readonly _tag = "Alert" as const
  readonly title: string
  readonly body: string | undefined
  readonly severity: Severity
  readonly fields: ReadonlyArray<Field>
  readonly detail: string | undefined
  readonly dedupeKey: string | undefined
  readonly idempotencyKey: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly source: AlertSource | undefined
  readonly attachments: ReadonlyArray<Attachment>
  readonly at: DateTime.Utc | undefined

  private constructor(input: AlertInput) {
    this.title = input.title
    this.body = input.body
    this.severity = input.severity ?? "info"
    this.fields = fieldsOf(input.fields ?? [])
    this.detail = input.detail
    this.dedupeKey = input.dedupeKey
    this.idempotencyKey = input.idempotencyKey
    this.tags = input.tags ?? []
    this.source = input.source
    this.attachments = input.attachments ?? []
    this.at = input.at
  }

  /** An alert of a title alone, or of what is given. An alert is returned as it is. */
  static make(input: AlertInput | Alert | string): Alert {
    if (input instanceof Alert) return input
    return new Alert(typeof input === "string" ? { title: input } : input)
  }

  /** The same alert with some of it changed. */
  with(changes: Partial<AlertInput>): Alert {
    return new Alert({ ...this, ...changes })
  }
}

const fieldsOf = (fields: NonNullable<AlertInput["fields"]>): ReadonlyArray<Field> =>
  isList(fields) ? fields : Object.entries(fields).map(([name, value]) => ({ name, value: internal.text(value) }))

const isList = (fields: NonNullable<AlertInput["fields"]>): fields is ReadonlyArray<Field> => Array.isArray(fields)
