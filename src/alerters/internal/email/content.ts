/** Renders alerts as mails, with a plain text part and an HTML part that say the same. */
import * as Effect from "effect/Effect"
import type { Alert, Attachment } from "../../../Alert.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { escapeHtml as escape } from "../../../internal/text/html.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { parts } from "../channel/links.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"
import { colors } from "../channel/severity.ts"

/** The content of a mail. */
export interface Content {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly attachments: ReadonlyArray<Attached>
}

/** A file, with the content id by which the HTML shows it if it is a picture. */
export interface Attached extends Attachment {
  readonly cid: string | undefined
}

/** The longest subject. Lists of mails show about half of it. */
const maxSubject = 200
const maxTitle = 1000
const maxName = 200
const maxFields = 100
/**
 * The limits of values, body and detail, in bytes of HTML. No standard limits the size of a mail, but Gmail rejects
 * more than 25 MB (https://support.google.com/mail/answer/6584), and many servers more than 10 MB. With all parts at
 * their limits, in the longest encoding, a mail stays below that.
 */
const maxValue = 4 << 10
const maxBody = 64 << 10
const maxDetail = 256 << 10
/** The most bytes of attachments. Base64 adds a third: https://www.rfc-editor.org/rfc/rfc2045#section-6.8 */
export const maxAttached = 4 << 20

/** The pictures that mail clients show inline. Hardly any shows SVG, since it may contain scripts. */
const isPicture = /^image\/(png|jpeg|gif)$/

/** Escapes a text, and makes links of its addresses. */
const linked = (text: string): string =>
  parts(text).map(({ text, url }) => url === undefined ? escape(text) : anchor(text, url)).join("")

const anchor = (text: string, url: string): string =>
  `<a href="${escape(url)}" style="${style.link}">${escape(text)}</a>`

const escapedBytes = (text: string): number => bytes(escape(text))

/** Makes a text fit for a header: one line, without tabs, which would have to be encoded. */
const headerText = (text: string, limit: number): string => fitEnd(oneLine(text).replace(/\s+/g, " "), limit)

/** Breaks words that are longer than a line. The older name is for mail clients that don't know the newer one. */
const wraps = "white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere"

const style = {
  page: "margin:0;padding:16px;font-family:sans-serif;font-size:14px;color:#1d1c1d",
  title: `margin:0 0 12px;font-size:18px;${wraps}`,
  text: `margin:0 0 12px;${wraps}`,
  name: "padding:2px 12px 2px 0;text-align:left;vertical-align:top;color:#616061;font-weight:normal;" +
    "min-width:4em;max-width:14em;word-break:break-word",
  value: `padding:2px 0;vertical-align:top;${wraps}`,
  detail: `margin:0 0 12px;padding:8px;background:#f6f6f6;font-size:12px;${wraps}`,
  link: "color:#1264a3",
  time: "margin:0;color:#616061;font-size:12px"
}

/** The colours where the reader's are dark, for mail clients that ask. Others leave the colours, or turn them round. */
const dark = "@media (prefers-color-scheme: dark) {" +
  " body { background: #1a1d21 !important; color: #e8e8e8 !important }" +
  " th, .time { color: #ababad !important } pre { background: #2b2d31 !important } a { color: #6cb6ff !important } }"

/** @internal */
export const content = (
  alert: Dated,
  prefix: string | undefined,
  { time, words }: Pick<Channel, "time" | "words">,
  id: string
): Content => {
  const { severity } = alert
  const attachments = alert.attachments.map((attachment, index) => ({
    ...attachment,
    cid: isPicture.test(attachment.mediaType) ? `${index}.${id.slice(1, -1)}` : undefined
  }))
  const title = fitEnd(oneLine(alert.title), maxTitle, escapedBytes)
  const body = fitMiddle(clean(alert.body ?? "").trim(), maxBody, escapedBytes)
  const detail = fitMiddle(clean(alert.detail ?? ""), maxDetail, escapedBytes)
  const at = time(alert.at)
  const fields = alert.fields.slice(0, maxFields).map(({ name, value }) => ({
    name: fitEnd(oneLine(name), maxName, escapedBytes),
    value: fitMiddle(clean(value), maxValue, escapedBytes)
  }))
  const more = alert.fields.length - fields.length
  const links = linksOf(alert, words)
  const note = more === 0 ? [] : [words.andMore(more)]
  return {
    subject: headerText(`${prefix ?? ""} ${alert.title}`, maxSubject) || severity,
    text: [
      `${severity.toUpperCase()}: ${title}`,
      body,
      [...fields.map(({ name, value }) => `${name}: ${value.replaceAll("\n", "\n  ")}`), ...note].join("\n"),
      detail,
      links.map(({ label, url }) => `${label}: ${url}`).join("\n"),
      attachments.map(({ name }) => words.attached(name)).join("\n"),
      at
    ].filter((part) => part !== "").join("\n\n"),
    html: [
      "<!DOCTYPE html>",
      "<html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">",
      `<meta name="color-scheme" content="light dark"><style>${dark}</style></head>`,
      `<body style="${style.page}"><div style="border-left:4px solid ${colors[severity]};padding-left:12px">`,
      // `dir="auto"` shows a text in its own direction, without reversing what is around it.
      `<h1 dir="auto" style="${style.title}">${escape(title)}</h1>`,
      ...(body === "" ? [] : [`<p dir="auto" style="${style.text}">${linked(body)}</p>`]),
      ...(fields.length === 0 ? [] : [
        "<table style=\"margin:0 0 12px;border-collapse:collapse\">",
        ...fields.map(({ name, value }) =>
          `<tr><th dir="auto" style="${style.name}">${escape(name)}</th>` +
          `<td dir="auto" style="${style.value}">${linked(value)}</td></tr>`
        ),
        ...note.map((text) => `<tr><td colspan="2">${escape(text)}</td></tr>`),
        "</table>"
      ]),
      // HTML drops the first line end of a `pre`; this one is added to be dropped.
      ...(detail === "" ? [] : [`<pre dir="ltr" style="${style.detail}">\n${linked(detail)}</pre>`]),
      ...(links.length === 0
        ? []
        : [`<p style="${style.text}">${links.map(({ label, url }) => anchor(label, url)).join(" · ")}</p>`]),
      ...attachments.map(({ cid, name }) =>
        cid === undefined
          ? `<p style="${style.text}">${escape(words.attached(name))}</p>`
          : `<p style="margin:0 0 12px"><img src="cid:${escape(cid)}" alt="${escape(name)}" style="max-width:100%"></p>`
      ),
      `<p class="time" style="${style.time}">${escape(at)}</p>`,
      "</div></body></html>"
    ].join("\n"),
    attachments
  }
}

// -----------------------------------------------------------------------------
// ids
// -----------------------------------------------------------------------------

/** Returns the sender's domain, which is the right part of message ids. */
export const domainOf = (from: string): string => /@([A-Za-z0-9.-]*[A-Za-z0-9])[>\s]*$/.exec(from)?.[1] ?? "localhost"

/** Returns the `Message-ID`, which is the same in each repeat of the post to the same recipients. */
export const messageId = (alert: Alert, to: ReadonlyArray<string>, domain: string): Effect.Effect<string> => {
  const key = repeatKey(alert)
  const name = key === undefined ? Effect.sync(() => globalThis.crypto.randomUUID()) : sha256([key, ...to])
  return Effect.map(name, (name) => `<${name}@${domain}>`)
}

/**
 * Returns the id that all mails of a run reference, so that mail clients show them as one conversation. No mail has
 * it as its own. The characters of ids are limited: https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4
 */
export const threadId = (runId: string, domain: string): string =>
  `<run-${encodeURIComponent(runId.toWellFormed()).replace(/[^A-Za-z0-9%-]/g, "_").slice(0, 200)}@${domain}>`
