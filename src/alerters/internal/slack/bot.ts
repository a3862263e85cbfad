/** Posts alerts as a bot in Slack, with one thread per run. */
import * as Effect from "effect/Effect"
import { isObject } from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type { AlerterError } from "../../../Alerter.ts"
import { atLeast } from "../../../internal/model/severity.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { api, type Response, text } from "./api.ts"
import { message, quiet } from "./message.ts"
import { upload } from "./upload.ts"

/** The options of the bot. */
export interface Bot {
  readonly token: Redacted.Redacted<string>
  readonly channel: string
  readonly threads?: boolean | undefined
  readonly baseUrl?: string | undefined
}

/** The thread of a run, known by the id (`ts`) of its first message that arrived. */
interface Thread {
  ts: string | undefined
}

const maxThreads = 1000

/** Returns a function that returns the thread of a run. The threads of the runs that posted last are kept. */
const threadsOf = (): (runId: string) => Thread => {
  const threads = new Map<string, Thread>()
  return (runId) => {
    const thread = threads.get(runId) ?? { ts: undefined }
    // moved to the end of the map, whose first entry is the one that was used the longest ago
    threads.delete(runId)
    threads.set(runId, thread)
    if (threads.size > maxThreads) threads.delete(threads.keys().next().value!)
    return thread
  }
}

/** Whether a reply is shown in the channel too: an error must reach people who do not follow the thread. */
const isLoud = atLeast("error")

/** Returns the function that posts an alert in the thread of its run, with its files below it. */
export const post = (channel: Channel, bot: Bot): (alert: Dated) => Effect.Effect<unknown, AlerterError> => {
  const call = api(channel, bot)
  const threadOf = threadsOf()
  // Error codes of Slack mention a `client_msg_id`, by which it may recognize a repeat, but no such argument is documented.
  const send = (alert: Dated, more: { readonly thread_ts?: string; readonly reply_broadcast?: boolean } = {}) =>
    call("chat.postMessage", { channel: bot.channel, ...message(alert, channel), ...quiet, ...more })

  const open = (alert: Dated, thread: Thread) =>
    Effect.tap(send(alert), ({ ts }) => {
      thread.ts = text(ts)
      return Effect.void
    })

  const reply = (alert: Dated, thread: Thread, ts: string): Effect.Effect<Response, AlerterError> =>
    send(alert, isLoud(alert) ? { thread_ts: ts, reply_broadcast: true } : { thread_ts: ts }).pipe(
      Effect.map((response) => {
        // If the first message was deleted, Slack posts the reply outside of any thread (https://github.com/slack-go/slack/issues/1571).
        const { message: posted, ts: own } = response
        const alone = isObject(posted) && posted["thread_ts"] === undefined
        if (alone && thread.ts === ts) thread.ts = text(own)
        return alone ? response : { ...response, ts }
      }),
      Effect.catchIf(isUnthreadable, () => {
        if (thread.ts === ts) thread.ts = undefined
        return inThread(alert, thread)
      })
    )

  /**
   * Posts in the thread. Succeeds with the answer, with the `ts` of the thread's first message. The mailbox sends one
   * alert at a time: where the one that opens the thread fails, the next one opens it.
   */
  const inThread = (alert: Dated, thread: Thread): Effect.Effect<Response, AlerterError> =>
    Effect.suspend(() => thread.ts === undefined ? open(alert, thread) : reply(alert, thread, thread.ts))

  return (alert) =>
    Effect.flatMap(
      bot.threads === false || alert.source === undefined
        ? send(alert)
        : inThread(alert, threadOf(alert.source.runId)),
      (posted) => upload(channel, call, alert.attachments, posted)
    )
}

const unthreadable =
  /^(thread_not_found|message_not_found|cannot_reply_to_message|restricted_action_(thread_locked|non_threadable_channel))\b/

const isUnthreadable = ({ reason }: AlerterError): boolean =>
  reason._tag === "Rejected" && unthreadable.test(reason.detail)
