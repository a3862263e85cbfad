/** Renders alerts as messages of Matrix, as text and as HTML (https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes). */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Field, Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { bytes, fitEnd } from "../../../internal/text/fit.ts"
import { escapeHtml } from "../../../internal/text/html.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert } from "../channel/fitAlert.ts"
import { anchor } from "../channel/html.ts"
import { type Answer, type Failure, failure, property, type Read } from "../channel/http.ts"
import { parts } from "../channel/links.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"
import { colors, symbols } from "../channel/severity.ts"

/**
 * Matrix leaves limits to the servers. Synapse, which most of them run, takes ten messages at once and one more every five
 * seconds, unless it is set otherwise
 * (https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_message).
 */
export const pace: Pace = [{ count: 1, per: "5 seconds", burst: 10 }]

/** The content of an event of the type `m.room.message`. */
export interface Message {
  /** Of a notice most clients tell nobody (https://spec.matrix.org/latest/client-server-api/#default-override-rules). */
  readonly msgtype: "m.text" | "m.notice"
  readonly body: string
  readonly format: "org.matrix.custom.html"
  readonly formatted_body: string
  /** The users that are mentioned: none, whatever the text says (https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions). */
  readonly "m.mentions": Readonly<Record<never, never>>
  /** https://spec.matrix.org/latest/client-server-api/#rich-replies */
  readonly "m.relates_to"?: { readonly "m.in_reply_to": { readonly event_id: string } }
}

/**
 * The largest content, in bytes of JSON. A whole event has at most 65,536 bytes, with what servers add to it: hashes,
 * signatures and the ids of other events (https://spec.matrix.org/latest/client-server-api/#size-limits).
 */
const maxContent = 56_000
const maxTitle = 300
const maxName = 200
const maxFields = 100
/** The most links of a text, each of which takes room in the message. */
const maxTextLinks = 20

/** Keeps a text from telling a whole room on servers that know no `m.mentions` (before Matrix 1.7): they look for this word. */
const unmentioning = (text: string): string => text.replace(/@(?=room\b)/gi, "@\u200b")

/** Whether clients show an address as a person or a room, and not as what was written. */
const isPill = (url: string): boolean => /^https?:\/\/matrix\.to\//i.test(url)

const linked = (text: string): string =>
  parts(text, maxTextLinks).map(({ text, url }) =>
    url === undefined || isPill(url) ? lines(text) : anchor(escapeHtml(text), url)
  ).join("")

const lines = (text: string): string => escapeHtml(text).replaceAll("\n", "<br>")

const fieldLine = ({ name, value }: Field): string => {
  const title = fitEnd(name, maxName)
  return title === "" ? linked(value.trim()) : `<b>${escapeHtml(title)}:</b> ${linked(value.trim())}`
}

/** The parts of a message besides the alert. */
export interface Settings {
  readonly silent?: ReadonlyArray<Severity> | undefined
}

const silentUnlessSet: ReadonlyArray<Severity> = ["info", "success"]

type Shows = Pick<Channel, "time" | "words">

/** Renders an alert that is short enough. */
const write = (
  alert: Dated,
  replyTo: string | undefined,
  { silent }: Settings,
  { time, words }: Shows
): Message => {
  const heading = `${symbols[alert.severity]} ${fitEnd(alert.title, maxTitle)}`
  const body = alert.body?.trim() ?? ""
  const detail = alert.detail?.trimEnd() ?? ""
  const at = time(alert.at)
  const fields = alert.fields.map(({ name, value }) => `${fitEnd(name, maxName)}: ${value.trim()}`)
  const links = linksOf(alert, words)
  const text = [
    heading,
    body,
    fields.join("\n"),
    detail,
    links.map(({ label, url }) => `${label}: ${url}`).join("\n"),
    at
  ]
  const title = `<b><font color="${colors[alert.severity]}" data-mx-color="${colors[alert.severity]}">${
    escapeHtml(heading)
  }</font></b>`
  const html = [
    `<p>${alert.url === undefined ? title : anchor(title, alert.url)}</p>`,
    body === "" ? "" : `<p>${linked(body)}</p>`,
    fields.length === 0 ? "" : `<p>${alert.fields.map(fieldLine).join("<br>")}</p>`,
    detail === "" ? "" : `<pre><code>${escapeHtml(detail)}</code></pre>`,
    alert.actions.length === 0
      ? ""
      : `<p>${alert.actions.map(({ label, url }) => anchor(escapeHtml(label), url)).join(" · ")}</p>`,
    `<p><em>${escapeHtml(at)}</em></p>`
  ]
  return {
    msgtype: (silent ?? silentUnlessSet).includes(alert.severity) ? "m.notice" : "m.text",
    body: unmentioning(text.filter((part) => part !== "").join("\n\n")),
    format: "org.matrix.custom.html",
    formatted_body: html.join(""),
    "m.mentions": {},
    ...(replyTo === undefined ? {} : { "m.relates_to": { "m.in_reply_to": { event_id: replyTo } } })
  }
}

/** Renders an alert within the limits. `replyTo` is the id of the event that it replies to. */
export const message = (
  alert: Dated,
  replyTo: string | undefined,
  settings: Settings,
  shows: Shows
): Message => {
  const size = (alert: Dated) => bytes(JSON.stringify(write(alert, replyTo, settings, shows)))
  return write(fitAlert(alert, maxContent, size, shows.words, { maxFields }) ?? bare(alert), replyTo, settings, shows)
}

/**
 * Returns the id of a transaction, which is the same in each attempt, and in each repeat of a post with a key: a server
 * shows one message for all of them (https://spec.matrix.org/latest/client-server-api/#transaction-identifiers).
 */
export const transactionOf = (alert: Dated): Effect.Effect<string> => {
  const key = repeatKey(alert)
  return key === undefined ? Effect.sync(() => crypto.randomUUID()) : sha256(key)
}

/** Reads a text of an answer that has to be there. */
export const read = (name: string): Read<string> => (answer) => {
  const value = property(answer.json, name)
  return typeof value === "string"
    ? Effect.succeed(value)
    : Effect.fail(
      failure(AlerterErrorReason.Rejected({ status: answer.status, detail: `no answer of Matrix: ${name} is missing` }))
    )
}

/** Reads an answer that refuses the rate, of a server that says in its body how long to wait: in Matrix before 1.10. */
export const refused = ({ headers, json, status }: Answer): Failure | undefined => {
  if (status !== 429 || headers["retry-after"] !== undefined) return undefined
  const after = property(json, "retry_after_ms")
  return typeof after === "number" && after >= 0
    ? failure(AlerterErrorReason.RateLimited({ retryAfter: Duration.millis(after) }), true)
    : undefined
}

/** Picks the message of an error answer, which is `{ errcode, error }`. */
export const said = (answer: object): string | undefined => {
  const [code, error] = [property(answer, "errcode"), property(answer, "error")]
  const found = [code, error].filter((text) => typeof text === "string")
  return found.length === 0 ? undefined : found.join(": ")
}
