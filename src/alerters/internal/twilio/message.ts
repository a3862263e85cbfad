/** Renders alerts as short messages (SMS) of few segments. */
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { clean, fitEnd, oneLine, type Size, units } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { type Answer, type Failure, failure } from "../channel/http.ts"

/**
 * A number sends one message a second, of which Twilio queues more (https://help.twilio.com/articles/115002943027). Each
 * recipient gets a message.
 */
export const paceOf = (recipients: number): Pace => [{ count: 1, per: `${Math.max(1, recipients)} seconds` }]

/** How many alerts wait before some are folded into one: each message costs money. */
export const capacity = 20

/** @internal */
export const segmentsUnlessSet = 3

/** The most segments of a body, which has at most 1,600 characters (https://www.twilio.com/docs/messaging/api/message-resource). */
export const mostSegments = 10

/**
 * The characters of GSM-7 (https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding), of which those of the
 * second list take the room of two.
 */
const single = new Set(
  "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
const double = new Set("^{}\\[~]|€")

/** Characters that are often in alerts, as GSM-7 has them. */
const likenesses: Readonly<Record<string, string>> = {
  "›": ">",
  "‹": "<",
  "»": "\"",
  "«": "\"",
  "–": "-",
  "—": "-",
  "‐": "-",
  "−": "-",
  "‘": "'",
  "’": "'",
  "‚": "'",
  "`": "'",
  "´": "'",
  "“": "\"",
  "”": "\"",
  "„": "\"",
  "•": "*",
  "·": "*",
  "×": "x",
  "→": "->",
  "\t": " "
}

const isGsm = (character: string): boolean => single.has(character) || double.has(character)

const gsmOf = (character: string): string => {
  if (isGsm(character)) return character
  const alike = likenesses[character] ?? character.normalize("NFKD").replace(/\p{M}/gu, "")
  return [...alike].every(isGsm) ? alike : character
}

/**
 * Replaces characters that GSM-7 does not have by some that are alike, where there are: one that it does not have makes
 * the whole message UCS-2, which has less than half the room.
 */
const simplified = (text: string): string => [...text.normalize("NFC")].map(gsmOf).join("")

/** The mark of a cut, as GSM-7 has it. */
const dots = "..."

const gsmSize: Size = (text) => {
  let size = 0
  for (const character of text) size += double.has(character) ? 2 : character === "…" ? dots.length : 1
  return size
}

/**
 * Returns how many septets of GSM-7, or code units of UCS-2, so many segments have
 * (https://www.twilio.com/docs/glossary/what-sms-character-limit). No character is divided: in each segment but the last
 * one may be left free.
 */
const roomOf = (segments: number, isGsm: boolean): number => {
  if (segments === 1) return isGsm ? 160 : 70
  return segments * (isGsm ? 153 : 67) - (segments - 1)
}

/** More of a text than any message has. */
const longest = 2_000

/** Returns the text that says most: the body, or else fields, or the detail. */
const contentOf = ({ body, detail, fields }: Dated): string => {
  const texts = [body, fields.slice(0, 20).map(({ name, value }) => `${name}: ${value}`).join("\n"), detail]
  // cleaning takes its time for a text of megabytes, of which no message shows more than the beginning
  const beginning = (text = "") => clean(text.slice(0, 20 * longest)).slice(0, longest).trim()
  return texts.map(beginning).find((text) => text !== "") ?? ""
}

/** Renders the body of a message: title, text, link and time, of which the text is cut first, and then the title. */
export const bodyOf = (
  alert: Dated,
  { maxSegments }: { readonly maxSegments?: number | undefined },
  { time, words }: Pick<Channel, "time" | "words">
): string => {
  const head = simplified(`${alert.severity.toUpperCase()}: ${oneLine(alert.title).slice(0, longest)}`.toWellFormed())
  const text = simplified(contentOf(alert).toWellFormed())
  const inGsm = [...head, ...text].every(isGsm)
  const size = inGsm ? gsmSize : units
  const segments = Math.min(mostSegments, maxSegments ?? segmentsUnlessSet)
  const room = roomOf(segments, inGsm)
  const [link] = linksOf(alert, words)
  // a link that is cut would lead elsewhere
  const end = [link?.url ?? "", simplified(time(alert.at))].filter((line) => line !== "" && size(line) <= room / 3)
  const left = room - end.reduce((sum, line) => sum + size(line) + 1, 0)
  const title = fitEnd(head, left, size)
  const rest = left - size(title) - 1
  const shown = [title, rest < dots.length ? "" : fitEnd(text, rest, size), ...end].filter((line) => line !== "")
  const body = shown.join("\n")
  return inGsm ? body.replaceAll("…", dots) : body
}

/** Returns the parameter that says who sends: a number or a name, or a messaging service. */
export const senderOf = (from: string): { readonly From: string } | { readonly MessagingServiceSid: string } =>
  /^MG[0-9a-f]{32}$/i.test(from) ? { MessagingServiceSid: from } : { From: from }

/** Splits the numbers that a text has between commas or spaces. */
export const numbersIn = (text: string): ReadonlyArray<string> => text.split(/[\s,]+/).filter((number) => number !== "")

const codeIn = (json: unknown): number | undefined =>
  typeof json === "object" && json !== null && "code" in json && typeof json.code === "number" ? json.code : undefined

/**
 * Codes that refuse the rate, and not the message: https://www.twilio.com/docs/api/errors/20429 and
 * https://www.twilio.com/docs/api/errors/21611, the queue of the number that is full.
 */
const rateCodes: ReadonlySet<number | undefined> = new Set([20429, 21611])

/** @internal */
export const refused = ({ headers, json, status }: Answer): Failure | undefined =>
  status !== 429 && headers["retry-after"] === undefined && rateCodes.has(codeIn(json))
    ? failure(AlerterErrorReason.RateLimited({}), true)
    : undefined

/** Picks the message of an error answer, which is `{ code, message, more_info, status }`. */
export const said = (answer: object): string | undefined => {
  if (!("message" in answer) || typeof answer.message !== "string") return undefined
  const code = codeIn(answer)
  return code === undefined ? answer.message : `${answer.message} (${code})`
}
