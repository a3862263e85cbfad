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
import { type AlerterError, Reason } from "../../Alerter.ts"
import type { Person, Question } from "../../Approver.ts"
import type { Channel } from "../alerters/channel.ts"
import { botMessage, makeNonce, userAgent } from "../alerters/discord.ts"
import * as Http from "../alerters/http.ts"
import { labelsShown, now, type Vote } from "../approver.ts"
import { at, listAt, textAt } from "./json.ts"
import type { Ask } from "./polling.ts"
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
    : Effect.fail(Http.failure(Reason.Unreachable({ detail: "no answer of Discord's" }), true))

/** @internal */
export const make = ({ baseUrl, channelId, token }: Settings, { http, time }: Channel): Ask => {
  const messages = `${baseUrl.replace(/\/+$/, "")}/channels/${encodeURIComponent(channelId)}/messages`
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

  /** Messages of the channel since one of them, and which is now the last. */
  const since = (start: string) =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      let after = start
      while (true) {
        const page = yield* list(messages, { limit: maxMessages, after })
        found.push(...page)
        const last = newest(page)
        if (last === undefined || last === after) return { found, after }
        after = last
        if (page.length < maxMessages) return { found, after }
      }
    })

  return (question) =>
    Effect.gen(function*() {
      const askedAt = yield* now
      const posted = yield* http.send(
        HttpClientRequest.bodyJsonUnsafe(
          authorized(HttpClientRequest.post(messages)),
          botMessage(asking(question, askedAt, how(question), time), time, makeNonce())
        ),
        read((json) => textAt(json, "id") !== undefined)
      )
      const id = textAt(posted, "id") ?? ""
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
        const channel = yield* since(after)
        const approved = yield* reacted("approve")
        const denied = yield* reacted("deny")
        // Only now, or what was read would be lost with a request that fails.
        after = next
        next = channel.after
        return [...denied, ...approved, ...repliesIn(channel.found, id, question)]
      })

      return {
        at: timeAt(posted, "timestamp"),
        prepare: Effect.andThen(react("approve"), react("deny")),
        poll: () => poll,
        settle: (decision) => {
          const { allowed_mentions, embeds } = botMessage(settled(question, askedAt, decision, time), time, "")
          const body = { embeds, allowed_mentions } satisfies RESTPatchAPIChannelMessageJSONBody
          return http.send(HttpClientRequest.bodyJsonUnsafe(authorized(HttpClientRequest.patch(url)), body))
        }
      }
    })
}

/** Nobody where it is a bot, or what it is can't be told. */
const person = (user: unknown): Person | undefined => {
  const id = textAt(user, "id")
  if (id === undefined || at(user, "bot") === true || at(user, "system") === true) return undefined
  return { id, name: textAt(user, "global_name") ?? textAt(user, "username") ?? id }
}

const repliesIn = (messages: ReadonlyArray<unknown>, id: string, question: Question): ReadonlyArray<Vote> =>
  messages.flatMap((message) => {
    if (textAt(message, "message_reference", "message_id") !== id) return []
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
