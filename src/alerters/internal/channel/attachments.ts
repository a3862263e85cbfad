/** Files beside an alert, where a channel takes any. */
import type { Alert, Attachment } from "../../../Alert.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"

/** As many as Discord takes with one message, which is the least of those that take any. */
const maxFiles = 10
const maxName = 100

/** Where there is no other limit than the process's memory. */
export const anySize: number = Infinity

/** What is no type might be read as more of a header. */
const typeOf = (mediaType: string): string =>
  /^[\w.+-]+\/[\w.+-]+$/.test(mediaType) ? mediaType : "application/octet-stream"

/** A name alone, of which nobody makes a path. */
const fileName = (name: string): string => fitEnd(oneLine(name).replace(/[/\\]/g, "_"), maxName) || "attachment"

const sizeOf = ({ content: { length } }: Attachment): string =>
  length < 1000 ? `${length} bytes` : `${Math.ceil(length / 1000)} kB`

/** The alert with those of its attachments that a channel takes; of all others a field tells. */
export const fitAttachments = <A extends Alert>(alert: A, maxBytes: number): A => {
  const { attachments } = alert
  if (attachments.length === 0) return alert
  let room = maxBytes
  const taken: Array<Attachment> = []
  const left: Array<string> = []
  for (const attachment of attachments) {
    const name = fileName(attachment.name)
    const { length } = attachment.content
    if (taken.length < maxFiles && length <= room) {
      taken.push({ name, mediaType: typeOf(attachment.mediaType), content: attachment.content })
      room -= length
    } else left.push(`${name} (${sizeOf(attachment)})`)
  }
  const note = left.length === 0 ? [] : [{ name: "not attached", value: left.join(", ") }]
  // a cast, since the time is not among what changes here
  return alert.with({ attachments: taken, fields: [...alert.fields, ...note] }) as A
}
