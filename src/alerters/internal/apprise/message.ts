/** Renders alerts for the API of Apprise (https://github.com/caronc/apprise-api#api-details). */
import type { Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import { clean, fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitAlert } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure, type Http } from "../channel/http.ts"

/** Of Apprise's services most take so much, with the title: Discord, for one, takes 2,000 characters. */
export const lengthUnlessSet = 1_500
const maxTitle = 250

/** Says what kind of notification an alert is, by which Apprise chooses a symbol and a colour. */
const types: Record<Severity, "info" | "success" | "warning" | "failure"> = {
  info: "info",
  success: "success",
  warning: "warning",
  error: "failure",
  critical: "failure"
}

/** The parts of a message that are set for all alerts of a channel. */
export interface Settings {
  readonly urls?: string | undefined
  readonly tag?: string | undefined
  readonly maxLength?: number | undefined
}

/** The body of a request. */
export interface Message {
  readonly urls?: string
  readonly tag?: string
  readonly title: string
  readonly body: string
  readonly type: string
  /** Apprise converts plain text to what a service takes, as HTML. */
  readonly format: "text"
}

type Shows = Pick<Channel, "time" | "words">

const text = (alert: Dated, { time, words }: Shows): string =>
  [
    alert.body,
    alert.fields.map(({ name, value }) => `${name}: ${value}`).join("\n"),
    alert.detail,
    linksOf(alert, words).map(({ label, url }) => `${label}: ${url}`).join("\n"),
    time(alert.at)
  ].filter((part) => part?.trim()).join("\n\n")

/** Returns a text that fits where each part, cut to its least, still makes too long a text together. */
const brief = ({ at, body, detail }: Dated, limit: number, { time }: Shows): string => {
  const end = time(at)
  const text = fitEnd(clean(body || detail || "").trim(), limit - end.length - "\n\n".length)
  return text === "" ? end : `${text}\n\n${end}`
}

/** @internal */
export const message = (alert: Dated, { maxLength, tag, urls }: Settings, shows: Shows): Message => {
  const limit = maxLength ?? lengthUnlessSet
  const fitting = fitAlert(alert, limit, (alert) => text(alert, shows).length, shows.words)
  return {
    ...(urls === undefined ? {} : { urls }),
    ...(tag === undefined ? {} : { tag }),
    title: fitEnd(oneLine(alert.title), maxTitle) || "(no title)",
    body: fitting === undefined ? brief(alert, limit, shows) : text(fitting, shows),
    type: types[alert.severity],
    format: "text"
  }
}

/** With this answer the server says that it has nothing to notify (https://github.com/caronc/apprise-api#api-notes). */
const nothing = 204

/** Whether a status of success says that services were notified. */
export const accepts = (status: number): boolean => status !== nothing

/** With this answer it says that a service was not notified. Others have been, so that it is final. */
const failed = 424

/** @internal */
export const refused = ({ detail }: Pick<Http, "detail">) => ({ json, status }: Answer): Failure | undefined => {
  if (status === nothing) {
    return failure(
      AlerterErrorReason.Rejected({ status, detail: "the server has no services to notify under this key" })
    )
  }
  // its log is longer than a detail, and would be cut before it is read
  const text = status === failed && typeof json === "object" && json !== null ? said(json) : undefined
  return text === undefined ? undefined : failure(AlerterErrorReason.Rejected({ status, detail: detail(text) }))
}

/** Picks the message of an error answer, `{ error, details }`, and of its log what went wrong. */
export const said = (answer: object): string | undefined => {
  const error = "error" in answer && typeof answer.error === "string" ? [answer.error] : []
  const lines = "details" in answer && Array.isArray(answer.details) ? answer.details : []
  const wrong = lines.filter((line) => Array.isArray(line) && (line[0] === "ERROR" || line[0] === "WARNING"))
    .map((line) => String(line[2]))
  return [...error, ...wrong].join(": ") || undefined
}
