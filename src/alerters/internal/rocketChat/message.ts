/**
 * Renders alerts as messages of Rocket.Chat, with an attachment.
 *
 * Its Markdown has hardly any escape (`packages/message-parser` of https://github.com/RocketChat/Rocket.Chat), so that all
 * that others wrote is code, in which nothing is markup.
 */
import * as Effect from "effect/Effect"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure, resetIn } from "../channel/http.ts"
import { linkLines } from "../channel/links.ts"
import { colors, symbols } from "../channel/severity.ts"

/**
 * A server takes ten requests a minute of a webhook, unless it is set otherwise
 * (https://docs.rocket.chat/docs/rate-limiter; `integrations/server/api/api.ts` of the server).
 */
export const pace: Pace = [{ count: 10, per: "1 minute" }]

/** The body of a webhook's request (https://docs.rocket.chat/docs/integrations). */
export interface Message {
  readonly channel?: string
  readonly alias?: string
  readonly text: string
  readonly parseUrls: false
  readonly attachments: readonly [{
    readonly color: string
    readonly text: string
    readonly actions?: ReadonlyArray<{ readonly type: "button"; readonly text: string; readonly url: string }>
  }]
}

/** The longest message, in UTF-16 code units: "Maximum Allowed Characters Per Message" in https://docs.rocket.chat/docs/message. */
const maxText = 5000
const maxTitle = 300
const maxName = 200
const maxFields = 50

/**
 * Keeps a text from mentioning anybody: the server looks for mentions in the text of a message, in code, too, and not
 * in that of attachments (`app/mentions` of the server).
 */
const unmentioning = (text: string): string => text.replace(/@(?=[\w.-])/g, "@\u200b")

/** Makes a block of code, whose end is nothing that the text has. */
const code = (text: string): string => `\`\`\`\n${text.replace(/`{3,}/g, (marks) => "'".repeat(marks.length))}\n\`\`\``

/** The parts of a message besides the alert. */
export interface Settings {
  readonly channel?: string | undefined
  readonly username?: string | undefined
}

type Shows = Pick<Channel, "time" | "words">

/** Renders an alert that is short enough. */
const write = (alert: Dated, { channel, username }: Settings, { time, words }: Shows): Message => {
  const title = fitEnd(alert.title, maxTitle).replaceAll("`", "'") || alert.severity
  const fields = alert.fields.map(({ name, value }) => `${fitEnd(name, maxName)}: ${value.trim()}`.trim()).join("\n")
  const body = alert.body?.trim() ?? ""
  const content = [body, fields, alert.detail?.trimEnd() ?? "", time(alert.at)].filter((part) => part !== "")
  const links = linkLines([alert.title, body, fields])
  const buttons = linksOf(alert, words).map(({ label, url }) => ({ type: "button", text: label, url } as const))
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(username === undefined ? {} : { alias: username }),
    text: `${symbols[alert.severity]} \`${unmentioning(title)}\``,
    parseUrls: false,
    attachments: [{
      color: colors[alert.severity],
      text: `${code(content.join("\n\n"))}${links === "" ? "" : `\n${links}`}`,
      ...(buttons.length === 0 ? {} : { actions: buttons })
    }]
  }
}

/** Renders an alert within the limits. */
export const message = (alert: Dated, settings: Settings, shows: Shows): Message => {
  const size = (alert: Dated) => {
    const { attachments: [{ text }], text: heading } = write(alert, settings, shows)
    return heading.length + text.length
  }
  return write(fitAlert(alert, maxText, size, shows.words, { maxFields }) ?? bare(alert), settings, shows)
}

/** Reads an answer that refuses the rate: a header has the time, in milliseconds, at which the server takes more. */
export const refused = (answer: Answer): Effect.Effect<Failure | undefined> =>
  answer.status === 429 && answer.headers["retry-after"] === undefined
    ? Effect.map(
      resetIn(answer, "x-ratelimit-reset", "milliseconds"),
      (retryAfter) => failure(AlerterErrorReason.RateLimited({ retryAfter }), true)
    )
    : Effect.undefined

/** Returns how long to wait before the next message, where an answer says that it was the last of its minute. */
export const exhausted = (headers: Answer["headers"]) =>
  headers["x-ratelimit-remaining"] === "0"
    ? resetIn({ headers }, "x-ratelimit-reset", "milliseconds")
    : Effect.undefined

/** Picks the message of an error answer, which is `{ success: false, error }`. */
export const said = (answer: object): string | undefined => {
  if ("error" in answer && typeof answer.error === "string") return answer.error
  return "message" in answer && typeof answer.message === "string" ? answer.message : undefined
}
