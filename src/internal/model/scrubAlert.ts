/** Removes secrets from an alert. */
import type { Alert, Attachment, Field } from "../../Alert.ts"
import type { Scrub } from "../text/secrets.ts"
import { mapSource } from "./alertSource.ts"

/** Media types whose bytes are text: an SVG drawing contains the messages of errors. */
const isText = /^text\/|[/+](xml|json)\b/

const scrubAttachment = (attachment: Attachment, scrub: Scrub): Attachment => {
  const { content, mediaType, name } = attachment
  const text = isText.test(mediaType) ? new TextDecoder().decode(content) : ""
  const scrubbed = scrub(text)
  return {
    mediaType,
    name: scrub(name),
    // unchanged bytes stay as they are: they need not be UTF-8, and decoding would damage them
    content: scrubbed === text ? content : new TextEncoder().encode(scrubbed)
  }
}

/** Scrubs fields. All of them are searched at once first: secrets are rare, and there may be a million fields. */
const scrubFields = (fields: ReadonlyArray<Field>, scrub: Scrub): ReadonlyArray<Field> => {
  const texts = fields.map(({ name, value }) => `${name}\0${value}`).join("\0")
  return scrub(texts) === texts
    ? fields
    : fields.map(({ name, value }) => ({ name: scrub(name), value: scrub(value) }))
}

/** Replaces the secrets in every text of an alert, attachments included: an error's message may quote them. */
export const scrubAlert = (alert: Alert, scrub: Scrub): Alert =>
  alert.with({
    title: scrub(alert.title),
    body: alert.body === undefined ? undefined : scrub(alert.body),
    fields: scrubFields(alert.fields, scrub),
    detail: alert.detail === undefined ? undefined : scrub(alert.detail),
    dedupeKey: alert.dedupeKey === undefined ? undefined : scrub(alert.dedupeKey),
    idempotencyKey: alert.idempotencyKey === undefined ? undefined : scrub(alert.idempotencyKey),
    url: alert.url === undefined ? undefined : scrub(alert.url),
    actions: alert.actions.map(({ label, url }) => ({ label: scrub(label), url: scrub(url) })),
    tags: alert.tags.map(scrub),
    attachments: alert.attachments.map((attachment) => scrubAttachment(attachment, scrub)),
    source: alert.source === undefined ? undefined : mapSource(alert.source, scrub)
  })
