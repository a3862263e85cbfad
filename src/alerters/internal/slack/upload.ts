/** Uploads files for a message that a bot has posted (https://docs.slack.dev/messaging/working-with-files#uploading_files). */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Attachment } from "../../../Alert.ts"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { Channel } from "../channel/channel.ts"
import { failure } from "../channel/http.ts"
import { type Api, type Response, text } from "./api.ts"

/** The most bytes of attachments. Slack accepts more; no alert should need it. */
export const maxAttached = 8 << 20

/** The timeout of the whole upload. The message has arrived already, and the hook that waits has a time limit. */
const limit = Duration.seconds(10)

/**
 * Uploads files and shares them in the thread of a message, below its first message (`ts`). Errors are logged, and are
 * no errors of the post, since the alert has arrived.
 */
export const upload = (
  { error, http }: Channel,
  call: Api,
  files: ReadonlyArray<Attachment>,
  { channel, ts }: Response
): Effect.Effect<void> => {
  // Slack refuses empty files
  const some = files.filter(({ content }) => content.length > 0)
  if (some.length === 0) return Effect.void
  const send = ({ content, mediaType, name }: Attachment): Effect.Effect<object, AlerterError> =>
    Effect.gen(function*() {
      // a form, since this method answers JSON with `invalid_arguments`
      const url = yield* call(
        "files.getUploadURLExternal",
        new URLSearchParams({
          filename: name,
          length: String(content.length)
        })
      )
      yield* http.send(
        HttpClientRequest.bodyUint8Array(HttpClientRequest.post(text(url["upload_url"]) ?? ""), content, mediaType),
        () => Effect.void,
        // the answer might quote the upload URL, which grants access by itself
        {
          refused: ({ status }) => failure(AlerterErrorReason.Rejected({ status, detail: "its upload" }), status >= 500)
        }
      )
      return { id: text(url["file_id"]) ?? "", title: name }
    })
  return Effect.forEach(some, send).pipe(
    Effect.flatMap((uploaded) =>
      call("files.completeUploadExternal", { files: uploaded, channel_id: channel, thread_ts: ts })
    ),
    Effect.asVoid,
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.fail(error(AlerterErrorReason.TimedOut({ limit })))
    }),
    Effect.catch(({ message }) =>
      Writer.logWarning("effect-epilogue: the files of an alert were not uploaded", message)
    )
  )
}
