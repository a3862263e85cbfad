/** Asks in Telegram, and reads presses of buttons. */
import type { ApiMethods, InlineKeyboardMarkup } from "@grammyjs/types"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import type { Channel } from "../../../alerters/internal/channel/channel.ts"
import * as Http from "../../../alerters/internal/channel/http.ts"
import { accepted, message, methodUrl, refused } from "../../../alerters/internal/telegram/message.ts"
import type { Person, Question } from "../../../Approver.ts"
import { at, listAt, numberAt, textAt } from "../../../internal/approvals/json.ts"
import { labelsShown, mayAnswer, type Vote } from "../../../internal/approvals/question.ts"
import type { Driver } from "../polling.ts"
import { asking, howWithValues, settled } from "../question.ts"
import * as updates from "./updates.ts"

export interface Settings {
  readonly token: string
  readonly chatId: string | number
  readonly baseUrl: string
  /** The timeout of acknowledging a press, all attempts together. */
  readonly limit: Duration.Duration
}

/** The parameters of a method of the Bot API. */
type Params<M extends keyof ApiMethods<never>> = NonNullable<Parameters<ApiMethods<never>[M]>[0]>

/** How much longer the client waits than the server does in a long poll. */
const grace = Duration.seconds(10)

/** At most 200 characters: https://core.telegram.org/bots/api#answercallbackquery */
const needsValues = "This needs values, which the command in the message takes."

const notAnApprover = "You are not among the approvers of this question. Your answer does not count."

const notHere = "This button belongs to another message. Your answer does not count."

const conflict = "no answers can be heard, since another program polls for this bot's updates, or the bot has a webhook"

/** The place of a question's message, and the prefix of its buttons' data. */
export interface Posted {
  readonly chat: number | string
  readonly id: number
  readonly nonce: string
}

/** @internal */
export const make = (
  { baseUrl, chatId, limit, token }: Settings,
  { error, http, time, words }: Channel
): Driver<Posted> => {
  /** Reads an answer. One of another shape comes from a proxy, and is retried. */
  const read: Http.Read<unknown> = (answer) =>
    at(answer.json, "ok") === undefined
      ? Effect.fail(Http.failure(AlerterErrorReason.Unreachable({ detail: "no answer of Telegram's" }), true))
      : accepted(http)(answer)

  const call = <M extends keyof ApiMethods<never>>(method: M, body: Params<M>, timeout?: Duration.Duration) =>
    http.send(
      HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(methodUrl(baseUrl, token, method)), body),
      read,
      { timeout, refused: refused(http) }
    )

  const getUpdates = (seconds: number, offset: number | undefined) =>
    call(
      "getUpdates",
      {
        ...(offset === undefined ? {} : { offset }),
        // with more, the answer might exceed the limit of what is read
        limit: 25,
        timeout: seconds,
        allowed_updates: ["callback_query"]
      },
      // a short poll is a request like any other
      seconds === 0 ? undefined : Duration.sum(Duration.seconds(seconds), grace)
    ).pipe(
      Effect.map((json) => listAt(json, "result")),
      Effect.mapError((failed) =>
        failed.reason._tag === "Rejected" && failed.reason.status === 409
          ? new AlerterError({
            channel: failed.channel,
            reason: AlerterErrorReason.Rejected({
              status: 409,
              detail: http.detail(`${conflict} (${failed.reason.detail})`)
            })
          })
          : failed
      )
    )

  /** Acknowledges a press, which ends the button's spinner. If that fails, the press counts all the same. */
  const answer = (reply: updates.Reply) =>
    call("answerCallbackQuery", { callback_query_id: reply.id, text: reply.text, show_alert: reply.alert }).pipe(
      Effect.timeoutOrElse({ duration: limit, orElse: () => Effect.void }),
      Effect.ignore
    )

  const shared = updates.make({ getUpdates, answer })

  return {
    read: (json) => {
      const chat = numberAt(json, "chat") ?? textAt(json, "chat")
      const id = numberAt(json, "id")
      const nonce = textAt(json, "nonce")
      return chat === undefined || id === undefined || nonce === undefined ? undefined : { chat, id, nonce }
    },
    post: (question, at) =>
      Effect.gen(function*() {
        const { approve, deny } = labelsShown(question)
        const how = question.values === undefined ? [] : howWithValues(question, { deny: "To deny, press the button" })
        // identifies the question's buttons, in 34 of at most 64 bytes
        const nonce = crypto.randomUUID().replaceAll("-", "")
        const keyboard: InlineKeyboardMarkup = {
          inline_keyboard: [[
            ...(question.values === undefined ? [{ text: `✅ ${approve}`, callback_data: `${nonce}:y` }] : []),
            { text: `❌ ${deny}`, callback_data: `${nonce}:n` }
          ]]
        }
        // opened before the message is sent: the poll of another question may receive a press before `sendMessage` returns
        shared.open(nonce, hearing(question), DateTime.toEpochMillis(at) + Duration.toMillis(question.timeout))
        return yield* call("sendMessage", {
          ...message(asking(question, at, how, time), chatId, { silent: [] }, { time, words }),
          reply_markup: keyboard
        }).pipe(
          Effect.flatMap((json) => {
            const id = numberAt(json, "result", "message_id")
            return id === undefined
              ? Effect.fail(error(AlerterErrorReason.Rejected({ detail: "no id of the question" })))
              : Effect.succeed({ chat: numberAt(json, "result", "chat", "id") ?? chatId, id, nonce })
          }),
          Effect.onError(() => Effect.sync(() => shared.close(nonce)))
        )
      }),
    open: (question, { askedAt, message: { chat, id, nonce }, until }) => ({
      poll: (remaining) => shared.open(nonce, hearing(question, { chat, id }), until).poll(remaining),
      leave: () => shared.leave(nonce),
      settle: (decision) => {
        shared.close(nonce)
        const { link_preview_options, parse_mode, text } = message(
          settled(question, DateTime.makeUnsafe(askedAt), decision, time),
          chat,
          {},
          { time, words }
        )
        return call("editMessageText", {
          chat_id: chat,
          message_id: id,
          text,
          ...(parse_mode === undefined ? {} : { parse_mode }),
          ...(link_preview_options === undefined ? {} : { link_preview_options })
        })
      }
    })
  }
}

/** Returns the function that makes a vote of a press, and the text that the person is shown. */
const hearing = (question: Question, place?: Omit<Posted, "nonce">): updates.Hear => {
  const { approve, deny } = labelsShown(question)
  return ({ at, button, from, message }) => {
    if (isElsewhere(message, place)) return { text: notHere, alert: true }
    const answer = button === "y" ? "approve" : "deny"
    // the message has no such button, but a client can send the data of one
    if (answer === "approve" && question.values !== undefined) return { text: needsValues, alert: true }
    const found = person(from, question)
    if (found === undefined || !mayAnswer(question, found.by, found.handles)) {
      return { text: notAnApprover, alert: true }
    }
    return { vote: { answer, ...found, at }, text: answer === "approve" ? approve : deny, alert: false }
  }
}

/** Whether a press came from another message: a client can send any data with the press of any button. */
const isElsewhere = (message: unknown, place: Omit<Posted, "nonce"> | undefined): boolean => {
  if (place === undefined) return false
  const chat = numberAt(message, "chat", "id")
  const id = numberAt(message, "message_id")
  return (id !== undefined && id !== place.id) ||
    (chat !== undefined && typeof place.chat === "number" && chat !== place.chat)
}

/** Returns the person, or `undefined` for bots. Usernames (`@ada`) are compared without regard to case. */
const person = (user: unknown, { approvers = [] }: Question): Pick<Vote, "by" | "handles"> | undefined => {
  const id = numberAt(user, "id")
  if (id === undefined || at(user, "is_bot") === true) return undefined
  const username = textAt(user, "username")
  const called = [textAt(user, "first_name"), textAt(user, "last_name")].filter((name) => name !== undefined).join(" ")
  const by: Person = { id: String(id), name: called !== "" ? called : username ?? String(id) }
  const handle = username === undefined ? undefined : `@${username.toLowerCase()}`
  return { by, handles: approvers.filter((approver) => approver.toLowerCase() === handle) }
}
