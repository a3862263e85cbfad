/** Questions in Discord, answered by reactions and replies. */
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
import { asking, replied, settled } from "./question.ts"

export interface Settings {
  readonly token: string
  readonly channelId: string
  readonly baseUrl: string
}

const emojis = { approve: "✅", deny: "❌" } as const

/** Normal ones, and those called super reactions, which are listed apart. */
const reactionTypes: ReadonlyArray<ReactionType> = [0, 1]
/** https://docs.discord.com/developers/resources/message#get-reactions */
const maxUsers = 100
/**
 * Half of what there may be, or the answer might get too long:
 * https://docs.discord.com/developers/resources/message#get-channel-messages
 */
const maxMessages = 50

const how = (question: Question): ReadonlyArray<Field> => {
  const { approve, deny } = labelsShown(question)
  return [
    { name: "Answer", value: `${emojis.approve} ${approve}   ${emojis.deny} ${deny}` },
    { name: "How", value: `React, or reply to this with “${approve}” or “${deny}” and, if you like, a comment` }
  ]
}

/** An answer that makes no sense comes from something in between. */
const read = (makesSense: (json: unknown) => boolean): Http.Read<unknown> => ({ json }) =>
  makesSense(json)
    ? Effect.succeed(json)
    : Effect.fail(Http.failure(AlerterErrorReason.Unreachable({ detail: "no answer of Discord's" }), true))

/** Where a question is, and when Discord says that it was posted. */
export interface Posted {
  readonly channel: string
  readonly id: string
  readonly timestamp: string | undefined
}

/** @internal */
export const make = ({ baseUrl, channelId, token }: Settings, { http, time }: Channel): Driver<Posted> => {
  const messagesOf = (channel: string) =>
    `${withoutTrailingSlashes(baseUrl)}/channels/${encodeURIComponent(channel)}/messages`
  const authorized = HttpClientRequest.setHeaders({ authorization: `Bot ${token}`, "user-agent": userAgent })

  const list = (url: string, query: RESTGetAPIChannelMessageReactionUsersQuery | RESTGetAPIChannelMessagesQuery) =>
    Effect.map(
      http.send(authorized(HttpClientRequest.get(url, { urlParams: { ...query } })), read(Array.isArray)),
      (json) => listAt(json)
    )

  /** Everybody who reacted with one emoji, in one of the two ways that there are. */
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

  /** Replies to a message in the channel since one there, and which is now the last. */
  const since = (messages: string, start: string, id: string) =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      let after = start
      while (true) {
        const page = yield* list(messages, { limit: maxMessages, after })
        // no others, since after a while nobody listened there may be thousands
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
      // They become part of an address. A channel may be called whatever a server in between knows it by.
      if (channel === undefined || /^\.*$/.test(channel) || id === undefined || !/^\d+$/.test(id)) return undefined
      return { channel, id, timestamp: textAt(json, "timestamp") }
    },
    post: (question, at) =>
      Effect.gen(function*() {
        const posted = yield* http.send(
          HttpClientRequest.bodyJsonUnsafe(
            authorized(HttpClientRequest.post(messagesOf(channelId))),
            botMessage(asking(question, at, how(question), time), time, makeNonce())
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

      // Read twice, since a message with a lesser id may be seen later than one with a greater.
      let after = id
      let next = id
      // What says no is read last, lest a yes be seen that came after it and not it.
      const poll = Effect.gen(function*() {
        const replies = yield* since(messages, after, id)
        const approved = yield* reacted("approve")
        const denied = yield* reacted("deny")
        // Only now, or what was read would be lost with a request that fails.
        after = next
        next = replies.after
        return [...denied, ...approved, ...votesIn(replies.found, question)]
      })

      return {
        at: timeAt(message, "timestamp"),
        prepare: Effect.andThen(react("approve"), react("deny")),
        poll: () => poll,
        settle: (decision) => {
          const alert = settled(question, DateTime.makeUnsafe(askedAt), decision, time)
          const { allowed_mentions, embeds } = botMessage(alert, time, "")
          const body = { embeds, allowed_mentions } satisfies RESTPatchAPIChannelMessageJSONBody
          return http.send(HttpClientRequest.bodyJsonUnsafe(authorized(HttpClientRequest.patch(url)), body))
        }
      }
    }
  }
}

/** Nobody where it is a bot, or what it is can't be told. */
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
    // What says yes now may have said something else before. A no counts from when it was posted in any case.
    const edited = vote.answer === "approve" ? timeAt(message, "edited_timestamp") : undefined
    return [{ by, at: edited ?? timeAt(message, "timestamp"), ...vote }]
  })

/** Ids grow with time, and are too great for a number: https://docs.discord.com/developers/reference#snowflakes */
const newest = (page: ReadonlyArray<unknown>): string | undefined =>
  page.flatMap((entry) => textAt(entry, "id") ?? []).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1)).at(-1)

const timeAt = (message: unknown, name: string): DateTime.Utc | undefined => {
  const time = DateTime.make(Date.parse(textAt(message, name) ?? ""))
  return time._tag === "Some" ? time.value : undefined
}
