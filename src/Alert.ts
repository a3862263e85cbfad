/**
 * Describes messages about steps and runs as data, which each channel renders in its own way.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as internal from "./internal/text/redact.ts"

/**
 * The severity of an alert, from the least to the most severe.
 *
 * @see `minSeverity` of `effect-epilogue/delivery` for dropping alerts below one
 *
 * @category models
 * @since 0.1.0
 */
export type Severity = "info" | "success" | "warning" | "error" | "critical"

/**
 * A name and a short text, which channels show side by side.
 *
 * @category models
 * @since 0.1.0
 */
export interface Field {
  /** The name, on one line, as in `"rows"`. */
  readonly name: string
  /** The value as text, of one or more lines. */
  readonly value: string
}

/**
 * A file that is sent beside an alert, such as a picture.
 *
 * **Details**
 *
 * `Email`, `Discord` and `Slack.layerBot` send up to 10 attachments and leave out larger ones than the channel
 * takes; other channels send none. A field `not attached` of the alert names what is left out.
 *
 * **Gotchas**
 *
 * - Attachments are sent unchanged, so they must not contain secrets.
 * - An `Outbox`, or a policy with `persist`, stores an alert with its attachments: keep them small.
 *
 * @see `Report.attachTimeline` of `effect-epilogue/report` for pictures of runs
 *
 * @category models
 * @since 0.1.0
 */
export interface Attachment {
  /** The file's name, as in `"timeline.png"`. */
  readonly name: string
  /** The media type, as in `"image/png"` (https://www.iana.org/assignments/media-types). */
  readonly mediaType: string
  /** The bytes of the file. */
  readonly content: Uint8Array
}

/**
 * Something that the reader of an alert can do about it: a label and the address that it opens.
 *
 * **Details**
 *
 * Channels show it as a button where they have such, and else as a link or as a line of text. Only addresses of `http`
 * and `https` are opened: another one is shown as text.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertAction {
  /** The text of the button, on one line, as in `"Runbook"`. */
  readonly label: string
  /** The address that it opens. */
  readonly url: string
}

/**
 * A field in which a policy or a channel says what it has held back or left out. Others recognize it by this, whatever its
 * name: the words of alerts may be of any language.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertNote {
  /**
   * The meaning of the field: how many alerts were held back before this one, how many failures have come in a row, which
   * files are not attached, or for how long a failure has been open.
   */
  readonly kind: "held back" | "in a row" | "not attached" | "open"
  /** The name of the field. */
  readonly name: string
  /** The number of alerts that were held back, or of failures in a row. */
  readonly count?: number | undefined
  /** The time of the first of the failures in a row, in milliseconds since 1970. */
  readonly since?: number | undefined
}

/**
 * The step or run that an alert is about, by which policies and channels route, thread and count alerts. The
 * standard hooks set it.
 *
 * @see `AlerterHooks` for the standard hooks
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertSource {
  /** The name of the pipeline. */
  readonly pipeline: string
  /** The id of the run, as in `StepContext.runId`. */
  readonly runId: string
  /** The name of the run for people. */
  readonly runName: string
  /** The names of the steps from the outermost to this one. Empty if the alert is about the run. */
  readonly stepPath: ReadonlyArray<string>
  /** The key of the step, which `Step.key` sets. */
  readonly stepKey?: string | undefined
  /** The names of `stepPath` as people are shown them: with their keys, as in `fetch-page[7]`. `stepPath` unless set. */
  readonly stepLabels?: ReadonlyArray<string> | undefined
  /** The number of the attempt that ended. 1 is the first. */
  readonly attempt?: number | undefined
}

/**
 * The input of {@link Alert.make}. Only the title is required.
 *
 * @see {@link Alert} for the result
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertInput {
  /** The title, on one line. */
  readonly title: string
  /** A text of one or more lines. */
  readonly body?: string | undefined
  /** `"info"` unless set. */
  readonly severity?: Severity | undefined
  /**
   * Fields as a list, or as a record of values of any type, which are formatted as text. A `Redacted` value is
   * shown as `<redacted>`.
   */
  readonly fields?: ReadonlyArray<Field> | Readonly<Record<string, unknown>> | undefined
  /** A text that is shown as a code block, such as a stack trace. */
  readonly detail?: string | undefined
  /** A key that alerts about the same thing share, as tonight's failure of a step and tomorrow's success do. */
  readonly dedupeKey?: string | undefined
  /**
   * A key that repeats of one post share and other posts do not, so that a receiver can drop a repeated post. An
   * empty key counts as none.
   *
   * **Details**
   *
   * Each channel's documentation says what it does with the key. `dedupeKey` can't serve for this: failures of
   * one step on two nights have the same.
   */
  readonly idempotencyKey?: string | undefined
  /**
   * The address of a page about what the alert is about, which the title leads to in channels that can. Only one of
   * `http` or `https` is a link.
   */
  readonly url?: string | undefined
  /** Actions for the reader, as buttons or links beside {@link AlertInput.url}. */
  readonly actions?: ReadonlyArray<AlertAction> | undefined
  /** Words to route by. The standard failure hook sets the tags of the errors. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** The step or run that the alert is about. */
  readonly source?: AlertSource | undefined
  /**
   * Whether what the `dedupeKey` is about is well again. `recovered` makes a recovery of such an alert, `PagerDuty`
   * resolves the incident, `Opsgenie` closes the alert, `GitHubIssues` the issue, `Alertmanager` ends it. `true` for
   * the severity `success` unless set, `false` for others.
   *
   * **Details**
   *
   * The success of a step says so if it has a key (`Step.key`). One without a key may be one of several evaluations, of
   * which another fails: that it is well again is posted at the end of the run, as a {@link AlertInput.quiet} alert.
   */
  readonly resolves?: boolean | undefined
  /**
   * Whether the alert is no news for people: it only says that something is well again, to policies and channels that
   * keep what failed. Others never get it.
   */
  readonly quiet?: boolean | undefined
  /**
   * The failures that a recovery is about, by which `route` and `minSeverity` send it where they sent these.
   * `recovered` sets it.
   */
  readonly recovers?: ReadonlyArray<Alert> | undefined
  /**
   * The alerts that this one combines, without their details and attachments, by which policies treat it as what it
   * is. `digest`, `quietHours`, and the summaries of `throttle` and `dedupe` set it.
   */
  readonly combines?: ReadonlyArray<Alert> | undefined
  /**
   * Where the alert has arrived already: places in a `fanOut`, `route` or `fallback`, which do not post it there again.
   * Policies set it.
   */
  readonly told?: ReadonlyArray<string> | undefined
  /** The fields that are notes of policies and channels, which set it. */
  readonly notes?: ReadonlyArray<AlertNote> | undefined
  /** Files to send beside the alert, on channels that can. */
  readonly attachments?: ReadonlyArray<Attachment> | undefined
  /** The time of what the alert is about. If it is not set, `Alerter.layer` sets the time of the post. */
  readonly at?: DateTime.Utc | undefined
}

/**
 * A structured message, which channels render. Its properties are those of {@link AlertInput}, where they are described.
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
 * @see `Alerter` for posting alerts
 *
 * @category models
 * @since 0.1.0
 */
export class Alert {
  /** Tells alerts from other tagged values. */
  readonly _tag = "Alert" as const
  /** The title, on one line. */
  readonly title: string
  /** A text of one or more lines. */
  readonly body: string | undefined
  /** How bad it is, by which policies and routes decide, and which channels show as a colour or a sign. */
  readonly severity: Severity
  /** Names and short texts, in the order in which they are shown. */
  readonly fields: ReadonlyArray<Field>
  /** A text that is shown as a code block, such as a stack trace. */
  readonly detail: string | undefined
  /** The key of what the alert is about. Policies and channels take alerts without one for unrelated to each other. */
  readonly dedupeKey: string | undefined
  /** The key by which a receiver drops a repeat of the same post. */
  readonly idempotencyKey: string | undefined
  /** The address of a page about what the alert is about. */
  readonly url: string | undefined
  /** The actions that the reader can take, as buttons or links. */
  readonly actions: ReadonlyArray<AlertAction>
  /** Words to route by, such as the tags of errors. */
  readonly tags: ReadonlyArray<string>
  /** The step or run that the alert is about. `undefined` for an alert about neither. */
  readonly source: AlertSource | undefined
  /** Whether what the `dedupeKey` is about is well again. */
  readonly resolves: boolean
  /** Files that are sent beside the alert, on channels that can. */
  readonly attachments: ReadonlyArray<Attachment>
  /** The time of what the alert is about. `undefined` until the alert is posted, unless the input set it. */
  readonly at: DateTime.Utc | undefined

  // policies alone are concerned with these, which are not printed
  readonly #quiet: boolean
  readonly #recovers: ReadonlyArray<Alert>
  readonly #combines: ReadonlyArray<Alert>
  readonly #told: ReadonlyArray<string>
  readonly #notes: ReadonlyArray<AlertNote>

  private constructor(input: AlertInput) {
    this.title = shown(input.title)
    this.body = textOf(input.body)
    this.severity = input.severity ?? "info"
    this.fields = fieldsOf(input.fields ?? [])
    this.detail = textOf(input.detail)
    this.dedupeKey = textOf(input.dedupeKey)
    this.idempotencyKey = textOf(input.idempotencyKey)
    this.url = textOf(input.url)
    // without an address there is nothing to open
    this.actions = (input.actions ?? []).flatMap(({ label, url }) =>
      url ? { label: shown(label), url: shown(url) } : []
    )
    this.tags = (input.tags ?? []).flatMap((tag) => textOf(tag) ?? [])
    this.source = input.source
    this.resolves = input.resolves ?? this.severity === "success"
    this.#quiet = input.quiet ?? false
    this.#recovers = input.recovers ?? []
    this.#combines = input.combines ?? []
    this.#told = input.told ?? []
    this.#notes = input.notes ?? []
    this.attachments = (input.attachments ?? []).map(attached)
    this.at = input.at
  }

  /** Whether the alert is no news for people, but only tells policies and channels that something is well again. */
  get quiet(): boolean {
    return this.#quiet
  }

  /** The failures that a recovery is about. Empty for other alerts. */
  get recovers(): ReadonlyArray<Alert> {
    return this.#recovers
  }

  /** The alerts that this one stands for, without their details. Empty for an alert that stands for itself. */
  get combines(): ReadonlyArray<Alert> {
    return this.#combines
  }

  /** The places in a `fanOut`, `route` or `fallback` where the alert has arrived, and is not posted again. */
  get told(): ReadonlyArray<string> {
    return this.#told
  }

  /** The fields in which policies and channels say what they have held back or left out. */
  get notes(): ReadonlyArray<AlertNote> {
    return this.#notes
  }

  /** Makes an alert from an input, or from a title alone. An alert is returned unchanged. */
  static make(input: AlertInput | Alert | string): Alert {
    if (input instanceof Alert) return input
    return new Alert(typeof input === "string" ? { title: input } : input)
  }

  /** Returns a copy with some properties changed. A change to `undefined` resets a property to its default. */
  with(changes: Partial<AlertInput>): Alert {
    const { combines, notes, quiet, recovers, resolves, severity, told } = this
    const kept = { ...this, quiet, recovers, combines, told, notes }
    // with another severity, the default of `resolves` is another
    return new Alert(
      resolves === (severity === "success") ? { ...kept, resolves: undefined, ...changes } : { ...kept, ...changes }
    )
  }
}

// Types do not see that a variable of the environment is not set, or that a database gave a number. No channel can send
// such a value, so the alert would be lost.
const shown = (value: unknown): string => typeof value === "string" ? value : internal.text(value)

const textOf = (value: unknown): string | undefined => value === undefined || value === null ? undefined : shown(value)

const fieldsOf = (fields: NonNullable<AlertInput["fields"]>): ReadonlyArray<Field> => {
  if (!isList(fields)) return Object.entries(fields).map(([name, value]) => ({ name, value: internal.text(value) }))
  const isShown = fields.every(({ name, value }) => typeof name === "string" && typeof value === "string")
  return isShown ? fields : fields.map(({ name, value }) => ({ name: shown(name), value: shown(value) }))
}

const attached = (attachment: Attachment): Attachment =>
  typeof attachment.content === "string"
    ? { ...attachment, content: new TextEncoder().encode(attachment.content) }
    : attachment

const isList = (fields: NonNullable<AlertInput["fields"]>): fields is ReadonlyArray<Field> => Array.isArray(fields)
