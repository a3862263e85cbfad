/** Fits the attachments of an alert to what a channel accepts. */
import type { Alert, Attachment } from "../../../Alert.ts"
import { withNote } from "../../../internal/alerts/notes.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"

/** The most files of one message: Discord's limit, which is the lowest of all channels that accept files. */
const maxFiles = 10
const maxName = 100

/** No limit of size, for a channel that sends attachments no further than its own process. */
export const anySize: number = Infinity

/** Replaces a malformed media type, which could inject further fields into a header. */
const typeOf = (mediaType: string): string =>
  /^[\w.+-]+\/[\w.+-]+$/.test(mediaType) ? mediaType : "application/octet-stream"

/** Returns a file name without separators, which no receiver takes for a path. */
const fileName = (name: string): string => fitEnd(oneLine(name).replace(/[/\\]/g, "_"), maxName) || "attachment"

/** Keeps the attachments that fit a channel's limits, and names all others in a field of the alert. */
export const fitAttachments = <A extends Alert>(alert: A, maxBytes: number, words: Words): A => {
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
    } else left.push(`${name} (${words.fileSize(length)})`)
  }
  const kept = alert.with({ attachments: taken })
  // a cast, since `with` forgets that the alert has a time, which does not change here
  return (left.length === 0
    ? kept
    : withNote(kept, { kind: "not attached", name: words.notAttached }, left.join(", "))) as A
}
