/**
 * Renders alerts as messages of Zulip.
 *
 * Its Markdown has no escapes (`build_inlinepatterns` in `zerver/lib/markdown` of https://github.com/zulip/zulip), so that all
 * that others wrote is code, in which nothing is markup or a mention.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure, resetIn } from "../channel/http.ts"
import { encodedUrl, linkLines } from "../channel/links.ts"
import { symbols } from "../channel/severity.ts"

/** A server takes 200 requests of a user a minute, unless it is set otherwise (https://zulip.com/api/rest-error-handling). */
export const pace: Pace = [{ count: 200, per: "1 minute" }]

/** The longest message, in code points: `max_message_length` of https://zulip.com/api/send-message. */
const maxContent = 10_000
/** The longest topic: `max_topic_length` there, in code points. Counted in UTF-16 code units, of which there are as many at least. */
const maxTopic = 60
const maxTitle = 300
const maxName = 200
const maxFields = 100

/** Counts code points. */
const codePoints = (text: string): number => text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "_").length

/** Makes code within a line. */
const inline = (text: string): string => `\`${text.replaceAll("`", "'")}\``

type Shows = Pick<Channel, "time" | "words">

/** Renders an alert that is short enough. */
const write = (alert: Dated, { time, words }: Shows): string => {
  const fields = alert.fields.map(({ name, value }) => `${fitEnd(name, maxName)}: ${value.trim()}`.trim()).join("\n")
  const body = alert.body?.trim() ?? ""
  const content = [body, fields, alert.detail?.trimEnd() ?? "", time(alert.at)].filter((part) => part !== "")
  const links = linksOf(alert, words).map(({ label, url }) => `${inline(label)} ${encodedUrl(url)}`)
  return [
    `${symbols[alert.severity]} ${inline(fitEnd(alert.title, maxTitle) || alert.severity)}`,
    codeBlock(content.join("\n\n"), "text"),
    linkLines([alert.title, body, fields]),
    ...links
  ].filter((part) => part !== "").join("\n")
}

/** Renders an alert within the limits. */
export const message = (alert: Dated, shows: Shows): string => {
  const size = (alert: Dated) => codePoints(write(alert, shows))
  return write(fitAlert(alert, maxContent, size, shows.words, { maxFields }) ?? bare(alert), shows)
}

/**
 * Returns the topic of an alert: one for all, or the name of its pipeline, so that a recovery is in the topic of its
 * failure.
 */
export const topicOf = ({ source }: Dated, topic: string | undefined): string =>
  fitEnd(oneLine(topic ?? source?.pipeline ?? ""), maxTopic) || "alerts"

/** Reads an answer that refuses the rate, and says in its body alone how long to wait. */
export const refused = ({ headers, json, status }: Answer): Failure | undefined => {
  if (status !== 429 || headers["retry-after"] !== undefined || typeof json !== "object" || json === null) {
    return undefined
  }
  const after = "retry-after" in json ? json["retry-after"] : undefined
  return typeof after === "number" && after >= 0
    ? failure(AlerterErrorReason.RateLimited({ retryAfter: Duration.millis(Math.ceil(after * 1000)) }), true)
    : undefined
}

/** Returns how long to wait before the next message, where an answer says that the server takes no more for now. */
export const exhausted = (headers: Answer["headers"]): Effect.Effect<Duration.Duration | undefined> =>
  headers["x-ratelimit-remaining"] === "0" ? resetIn({ headers }, "x-ratelimit-reset") : Effect.undefined

/** Picks the message of an error answer, which is `{ result: "error", msg, code }`. */
export const said = (answer: object): string | undefined =>
  "msg" in answer && typeof answer.msg === "string" ? answer.msg : undefined
