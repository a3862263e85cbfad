/** Asks in Discord, and reads reactions and replies. */
import type {
  ReactionType,
  RESTGetAPIChannelMessageReactionUsersQuery,
  RESTGetAPIChannelMessagesQuery,
  RESTPatchAPIChannelMessageJSONBody
} from "discord-api-types/v10"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Field } from "../../Alert.ts"
import { type AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import type { Channel } from "../../alerters/internal/channel/channel.ts"
import * as Http from "../../alerters/internal/channel/http.ts"
import { botMessage, makeNonce, userAgent } from "../../alerters/internal/discord/message.ts"
import type { Person, Question } from "../../Approver.ts"
import { at, listAt, textAt } from "../../internal/approvals/json.ts"
import { labelsShown, type Vote } from "../../internal/approvals/question.ts"
import { withoutTrailingSlashes } from "../../internal/text/baseUrl.ts"
import type { Driver } from "./polling.ts"
import { asking, howWithValues, replied, settled } from "./question.ts"

export interface Settings {
  readonly token: string
  readonly channelId: string
  readonly baseUrl: string
}

const emojis = { approve: "✅", deny: "❌" } as const

/** Normal reactions and super reactions, which Discord lists separately. */
const reactionTypes: ReadonlyArray<ReactionType> = [0, 1]
/** https://docs.discord.com/developers/resources/message#get-reactions */
const maxUsers = 100
/**
 * Half of Discord's limit (https://docs.discord.com/developers/resources/message#get-channel-messages): with more, the
 * answer might exceed the limit of what is read.
 */
const maxMessages = 50

const how = (question: Question): ReadonlyArray<Field> => {
  const { approve, deny } = labelsShown(question)
  if (question.values !== undefined) {
    return howWithValues(question, { deny: `To deny, react with ${emojis.deny}, or reply to this with “${deny}”` })
  }
  return [
    { name: "Answer", value: `${emojis.approve} ${approve}   ${emojis.deny} ${deny}` },
    { name: "How", value: `React, or reply to this with “${approve}” or “${deny}” and, if you like, a comment` }
  ]
}

/** Reads an answer. One of another shape comes from a proxy, and is retried. */
const read = (makesSense: (json: unknown) => boolean): Http.Read<unknown> => ({ json }) =>
  makesSense(json)
    ? Effect.succeed(json)
    : Effect.fail(Http.failure(AlerterErrorReason.Unreachable({ detail: "no answer of Discord's" }), true))

/** The place of a question's message, and the time at which Discord received it. */
export interface Posted {
  readonly channel: string
  readonly id: string
  readonly timestamp: string | undefined
}

/** @internal */
export const make = ({ baseUrl, channelId, token }: Settings, { http, time, words }: Channel): Driver<Posted> => {
  const messagesOf = (channel: string) =>
    `${withoutTrailingSlashes(baseUrl)}/channels/${encodeURIComponent(channel)}/messages`
  const authorized = HttpClientRequest.setHeaders({ authorization: `Bot ${token}`, "user-agent": userAgent })

  const list = (url: string, query: RESTGetAPIChannelMessageReactionUsersQuery | RESTGetAPIChannelMessagesQuery) =>
    Effect.map(
      http.send(authorized(HttpClientRequest.get(url, { urlParams: { ...query } })), read(Array.isArray)),
      (json) => listAt(json)
    )

  /** Lists the users who reacted with one emoji, by one type of reaction. */
  const usersOf = (url: string, type: ReactionType): Effect.Effect<ReadonlyArray<unknown>, AlerterError> =>
    Effect.gen(function*() {
      const users: Array<unknown> = []
      let after: string | undefined
      while (true) {
        const page = yield* list(url, { limit: maxUsers, type, ...(after === undefined ? {} : { after }) })
        users.push(...page)
        const last = newest(page)
        if (page.length < maxUsers || last === undefined || last === after) return users
        after = last
      }
    })

  /** Lists the replies to message `id` among the messages after `start`, and returns the last message that was read. */
  const since = (messages: string, start: string, id: string) =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      let after = start
      while (true) {
        const page = yield* list(messages, { limit: maxMessages, after })
        // other messages are dropped: after a pause there may be thousands
        found.push(...page.filter((message) => textAt(message, "message_reference", "message_id") === id))
        const last = newest(page)
        if (last === undefined || last === after) return { found, after }
        after = last
        if (page.length < maxMessages) return { found, after }
      }
    })

  return {
    read: (json) => {
      const channel = textAt(json, "channel")
      const id = textAt(json, "id")
      // They become part of a URL. A channel may be any name by which a proxy knows it.
      if (channel === undefined || /^\.*$/.test(channel) || id === undefined || !/^\d+$/.test(id)) return undefined
      return { channel, id, timestamp: textAt(json, "timestamp") }
    },
    post: (question, at) =>
      Effect.gen(function*() {
        const posted = yield* http.send(
          HttpClientRequest.bodyJsonUnsafe(
            authorized(HttpClientRequest.post(messagesOf(channelId))),
            botMessage(asking(question, at, how(question), time), { time, words }, makeNonce())
          ),
          read((json) => textAt(json, "id") !== undefined)
        )
        return { channel: channelId, id: textAt(posted, "id") ?? "", timestamp: textAt(posted, "timestamp") }
      }),
    open: (question, { askedAt, message }) => {
      const { channel, id } = message
      const messages = messagesOf(channel)
      const url = `${messages}/${id}`
      const reactions = (answer: Vote["answer"]) => `${url}/reactions/${encodeURIComponent(emojis[answer])}`
      const react = (answer: Vote["answer"]) => http.send(authorized(HttpClientRequest.put(`${reactions(answer)}/@me`)))
      const reacted = (answer: Vote["answer"]): Effect.Effect<ReadonlyArray<Vote>, AlerterError> =>
        Effect.map(
          Effect.forEach(reactionTypes, (type) => usersOf(reactions(answer), type)),
          (users) =>
            users.flat().flatMap((user) => {
              const by = person(user)
              return by === undefined ? [] : [{ answer, by }]
            })
        )

      // Each message is read in two rounds, since one with a lesser id can become visible later than one with a greater.
      let after = id
      let next = id
      // Denials are read last. Otherwise an approval could be seen without a denial that came before it.
      const poll = Effect.gen(function*() {
        const replies = yield* since(messages, after, id)
        const approved = yield* reacted("approve")
        const denied = yield* reacted("deny")
        // moved only after all requests have succeeded, or a failed one would lose the replies that were read
        after = next
        next = replies.after
        return [...denied, ...approved, ...votesIn(replies.found, question)]
      })

      return {
        at: timeAt(message, "timestamp"),
        prepare: question.values === undefined ? Effect.andThen(react("approve"), react("deny")) : react("deny"),
        poll: () => poll,
        settle: (decision) => {
          const alert = settled(question, DateTime.makeUnsafe(askedAt), decision, time)
          const { allowed_mentions, embeds } = botMessage(alert, { time, words }, "")
          const body = { embeds, allowed_mentions } satisfies RESTPatchAPIChannelMessageJSONBody
          return http.send(HttpClientRequest.bodyJsonUnsafe(authorized(HttpClientRequest.patch(url)), body))
        }
      }
    }
  }
}

/** Returns the person, or `undefined` for bots and for users that can't be identified. */
const person = (user: unknown): Person | undefined => {
  const id = textAt(user, "id")
  if (id === undefined || at(user, "bot") === true || at(user, "system") === true) return undefined
  return { id, name: textAt(user, "global_name") ?? textAt(user, "username") ?? id }
}

const votesIn = (replies: ReadonlyArray<unknown>, question: Question): ReadonlyArray<Vote> =>
  replies.flatMap((message) => {
    const by = textAt(message, "webhook_id") === undefined ? person(at(message, "author")) : undefined
    const vote = replied(textAt(message, "content") ?? "", question)
    if (by === undefined || vote === undefined) return []
    // An edited message may have said something else before, so an approval counts from its edit, a denial from its post.
    const edited = vote.answer === "approve" ? timeAt(message, "edited_timestamp") : undefined
    return [{ by, at: edited ?? timeAt(message, "timestamp"), ...vote }]
  })

/** Returns the greatest id. Ids grow with time, and exceed safe integers: https://docs.discord.com/developers/reference#snowflakes */
const newest = (page: ReadonlyArray<unknown>): string | undefined =>
  page.flatMap((entry) => textAt(entry, "id") ?? []).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1)).at(-1)

const timeAt = (message: unknown, name: string): DateTime.Utc | undefined => {
  const time = DateTime.make(Date.parse(textAt(message, name) ?? ""))
  return time._tag === "Some" ? time.value : undefined
}
