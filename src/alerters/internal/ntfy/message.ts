/** Alerts as messages of ntfy. */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Severity } from "../../../Alert.ts"
import { bytes, fitEnd, oneLine } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { fitAlert, jsonBytes } from "../channel/fitAlert.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"

/** https://docs.ntfy.sh/publish/#publish-as-json */
export interface Message {
  readonly topic: string
  readonly title: string
  readonly message: string
  readonly priority: number
  readonly tags: ReadonlyArray<string>
  readonly markdown: false
  /** https://docs.ntfy.sh/publish/#updating-deleting-notifications. At most 64 letters, digits, `-` and `_`. */
  readonly sequence_id?: string
}

/**
 * https://docs.ntfy.sh/publish/#limitations says 4,096 bytes, and servers take a message of exactly that for an
 * attachment. Counted with JSON's escapes, since the whole document may have no more than twice as much.
 */
const maxMessage = 4095
/** It says 1 KB, of which notifications show less than this. */
const maxTitle = 250
/** All of them, with commas between. */
const maxTags = 512
const maxTag = 100

/** https://docs.ntfy.sh/publish/#message-priority: 3 is the default, 4 and 5 vibrate and pop up, 2 is silent. */
const priorities: Record<Severity, number> = { info: 2, success: 3, warning: 3, error: 4, critical: 5 }

/** Short codes of https://docs.ntfy.sh/emojis/, which stand before the title. */
const emojis: Record<Severity, string> = {
  info: "information_source",
  success: "white_check_mark",
  warning: "warning",
  error: "x",
  critical: "rotating_light"
}

/** The server takes titles and tags for headers, and so decodes `=?UTF-8?B?…?=` in them. */
const literal = (text: string): string => text.replaceAll("=?", "=\u200b?")

/** A comma is where the next tag begins. */
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

const text = (alert: Dated, time: (at: DateTime.Utc) => string): string => {
  const fields = alert.fields.map(({ name, value }) => `${name}: ${value}`).join("\n")
  return [alert.body, fields, alert.detail, time(alert.at)].filter((part) => part?.trim()).join("\n\n")
}

/** As plain text. */
export const message = (
  alert: Dated,
  topic: string,
  sequence: string | undefined,
  time: (at: DateTime.Utc) => string
): Message => {
  const fitting = fitAlert(alert, maxMessage, (alert) => jsonBytes(text(alert, time)))
  return {
    topic,
    title: fitEnd(literal(oneLine(alert.title)), maxTitle, jsonBytes),
    // what cannot be cut is the time alone, which always fits
    message: fitting === undefined ? time(alert.at) : text(fitting, time),
    priority: priorities[alert.severity],
    tags: tags(alert),
    markdown: false,
    ...(sequence === undefined ? {} : { sequence_id: sequence })
  }
}

/** The same in each repeat of a post. */
export const sequenceOf = (alert: Dated): Effect.Effect<string | undefined> => {
  const key = repeatKey(alert)
  return key === undefined ? Effect.undefined : sha256(key)
}

/** Of `{ code, http, error, link }`, as it answers what it does not accept. */
export const said = (answer: object): string | undefined =>
  "error" in answer && typeof answer.error === "string" ? answer.error : undefined
