/** Renders alerts as messages of ntfy. */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type { Severity } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { bytes, fitEnd, oneLine } from "../../../internal/text/fit.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitAlert, jsonBytes } from "../channel/fitAlert.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"

/** Unless set otherwise, a server accepts 60 requests at once, and one more every 5 seconds (https://docs.ntfy.sh/publish/#limitations). */
export const pace: Pace = [{ count: 1, per: "5 seconds", burst: 60 }]

/** A message as https://docs.ntfy.sh/publish/#publish-as-json describes it. */
export interface Message {
  readonly topic: string
  readonly title: string
  readonly message: string
  readonly priority: number
  readonly tags: ReadonlyArray<string>
  readonly markdown: false
  /** The address that a tap on the notification opens: https://docs.ntfy.sh/publish/#click-action. */
  readonly click?: string
  /** Buttons, at most three: https://docs.ntfy.sh/publish/#action-buttons. */
  readonly actions?: ReadonlyArray<{ readonly action: "view"; readonly label: string; readonly url: string }>
  /** https://docs.ntfy.sh/publish/#updating-deleting-notifications. At most 64 letters, digits, `-` and `_`. */
  readonly sequence_id?: string
}

/**
 * The longest message, in bytes. https://docs.ntfy.sh/publish/#limitations says 4,096, of which servers already make an
 * attachment. JSON's escapes count, since servers refuse a document of more than twice the limit.
 */
const maxMessage = 4095
/** The longest title, in bytes. The limit is 1 KB; notifications show less than 250. */
const maxTitle = 250
/** The longest list of tags, in bytes, with the commas between them. */
const maxTags = 512
const maxTag = 100

/** Priorities (https://docs.ntfy.sh/publish/#message-priority): 3 is the default, 4 and 5 vibrate and pop up, 2 is silent. */
const priorities: Record<Severity, number> = { info: 2, success: 3, warning: 3, error: 4, critical: 5 }

/** Short codes of the emojis that ntfy shows before the title (https://docs.ntfy.sh/emojis/). */
const emojis: Record<Severity, string> = {
  info: "information_source",
  success: "white_check_mark",
  warning: "warning",
  error: "x",
  critical: "rotating_light"
}

/**
 * Keeps the server from decoding `=?UTF-8?B?…?=`, as it does in titles and tags, which it treats as headers: a text with
 * such a word is encoded as one itself (https://www.rfc-editor.org/rfc/rfc2047#section-2), and decoded to what it was.
 */
const literal = (text: string): string =>
  text.includes("=?") ? `=?UTF-8?B?${Base64.encode(text.toWellFormed())}?=` : text

/** Returns the emoji and the tags that fit. A comma in a tag becomes a space, since it would begin another tag. */
const tags = (alert: Dated): ReadonlyArray<string> => {
  const fitting = [emojis[alert.severity]]
  for (const tag of alert.tags) {
    const plain = literal(fitEnd(oneLine(tag.replaceAll(",", " ")), maxTag, bytes))
    if (plain === "" || fitting.includes(plain)) continue
    if (bytes([...fitting, plain].join(",")) > maxTags) break
    fitting.push(plain)
  }
  return fitting
}

const maxButtons = 3

const text = (alert: Dated, time: (at: DateTime.Utc) => string): string => {
  const fields = alert.fields.map(({ name, value }) => `${name}: ${value}`).join("\n")
  const more = alert.actions.slice(maxButtons).map(({ label, url }) => `${label}: ${url}`).join("\n")
  return [alert.body, fields, alert.detail, more, time(alert.at)].filter((part) => part?.trim()).join("\n\n")
}

/** Renders an alert as plain text, within ntfy's limits. */
export const message = (
  alert: Dated,
  topic: string,
  sequence: string | undefined,
  { time, words }: Pick<Channel, "time" | "words">
): Message => {
  const fitting = fitAlert(alert, maxMessage, (alert) => jsonBytes(text(alert, time)), words)
  return {
    topic,
    title: fitEnd(literal(oneLine(alert.title)), maxTitle, jsonBytes),
    // if even the shortest text is too long, only the time is sent, which always fits
    message: fitting === undefined ? time(alert.at) : text(fitting, time),
    priority: priorities[alert.severity],
    tags: tags(alert),
    markdown: false,
    ...(alert.url === undefined ? {} : { click: alert.url }),
    ...(alert.actions.length === 0 ? {} : {
      actions: alert.actions.slice(0, maxButtons).map(({ label, url }) => ({ action: "view", label, url }))
    }),
    ...(sequence === undefined ? {} : { sequence_id: sequence })
  }
}

/** Returns the sequence id of an alert, which is the same in each repeat of the post. */
export const sequenceOf = (alert: Dated): Effect.Effect<string | undefined> => {
  const key = repeatKey(alert)
  return key === undefined ? Effect.undefined : sha256(key)
}

/** Picks the message of an error answer, which is `{ code, http, error, link }`. */
export const said = (answer: object): string | undefined =>
  "error" in answer && typeof answer.error === "string" ? answer.error : undefined
