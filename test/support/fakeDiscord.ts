/** Fakes the part of Discord's API that questions use: https://docs.discord.com/developers/resources/message */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fakeApi, type FakeChannel } from "./fakeApi.ts"

interface User {
  readonly id: string
  readonly username: string
  readonly global_name?: string | null
  readonly bot?: boolean
}

interface Message {
  readonly id: string
  readonly author: User
  readonly timestamp: string
  // oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
  payload: any
  readonly reactions: Map<string, Array<User>>
  readonly message_reference?: { readonly message_id: string }
}

export interface FakeDiscord extends FakeChannel {
  /** The bot's messages. */
  readonly questions: () => ReadonlyArray<Message>
  readonly react: (question: number, emoji: string, user: User, type?: "normal" | "burst") => void
  /** Posts a message `after` milliseconds after the last question, as a reply where a question is given. */
  readonly say: (user: User, content: string, question?: number, after?: number, edited?: number) => void
  /** Hides the last message until the returned function is called. Its id stays lower than those of later messages. */
  readonly delay: () => () => void
}

const bot: User = { id: "900", username: "asker", bot: true }

export const users: Readonly<Record<string, User>> = {
  "1": { id: "1", username: "ada", global_name: "Ada Lovelace" },
  "2": { id: "2", username: "eve", global_name: null }
}

export const fakeDiscord: Effect.Effect<FakeDiscord, never, Scope.Scope> = Effect.gen(function*() {
  const messages: Array<Message> = []
  // ids are about to gain a digit, so comparing them as text fails, and exceed 2 ** 53, so comparing them as numbers fails
  let lastId = 99_999_999_999_999_995n
  const questions = () => messages.filter(({ author }) => author === bot)
  const add = (author: User, payload: unknown, time: number, reference?: string): Message => {
    const message: Message = {
      id: String(++lastId),
      author,
      timestamp: new Date(time).toISOString(),
      payload,
      reactions: new Map(),
      ...(reference === undefined ? {} : { message_reference: { message_id: reference } })
    }
    messages.push(message)
    return message
  }
  const react = (message: Message, emoji: string, user: User, type = "normal") => {
    const key = type === "burst" ? `${emoji} burst` : emoji
    message.reactions.set(key, [...message.reactions.get(key) ?? [], user])
  }

  const api = yield* fakeApi(
    ({ method, path }) =>
      `${method} ${
        path.split("?")[0]!.replace(/\/channels\/42/, "").replace(/\d{5,}/, "{id}").split("/").slice(0, 4).join("/")
      }`,
    (_, received) => {
      const { headers, method } = received
      if (!headers.authorization?.startsWith("Bot ")) {
        return { status: 401, body: { message: "401: Unauthorized", code: 0 } }
      }
      if (!headers["user-agent"]?.startsWith("DiscordBot (")) return { status: 403, body: "blocked" }
      const { pathname, searchParams } = new URL(received.path, "http://discord")
      const [, , channel, , id, reactions, emoji] = pathname.split("/").map(decodeURIComponent)
      const limit = Number(searchParams.get("limit") ?? 50)
      const after = BigInt(searchParams.get("after") ?? 0)
      if (channel !== "42") return { status: 404, body: { message: "Unknown Channel", code: 10003 } }
      if (id === undefined) {
        if (method === "POST") return { body: add(bot, received.json, Date.now()) }
        // as the API: the `limit` oldest messages after that id, newest first
        const later = messages.filter((message) => BigInt(message.id) > after)
        const page = later.toSorted((a, b) => Number(BigInt(a.id) - BigInt(b.id))).slice(0, limit).toReversed()
        return { body: page.map((message) => ({ ...message, ...message.payload, reactions: undefined })) }
      }
      const message = messages.find((message) => message.id === id)
      if (message === undefined) return { status: 404, body: { message: "Unknown Message", code: 10008 } }
      if (method === "PATCH") {
        message.payload = received.json
        return { body: {} }
      }
      if (reactions !== "reactions" || emoji === undefined) return { status: 405 }
      if (method === "PUT") {
        react(message, emoji, bot)
        return { status: 204 }
      }
      const key = searchParams.get("type") === "1" ? `${emoji} burst` : emoji
      const sorted = (message.reactions.get(key) ?? []).toSorted((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
      return { body: sorted.filter((user) => BigInt(user.id) > after).slice(0, limit) }
    }
  )

  return {
    api,
    methods: { ask: "POST /messages", poll: "GET /messages/{id}/reactions", edit: "PATCH /messages/{id}" },
    questions,
    react: (question, emoji, user, type) => void react(questions()[question]!, emoji, user, type),
    delay: () => {
      const [message] = messages.splice(-1)
      return () => void messages.push(message!)
    },
    say: (user, content, question, after = 1, edited) => {
      const reference = question === undefined ? undefined : questions()[question]!.id
      const asked = Date.parse(questions().at(-1)!.timestamp)
      const edited_timestamp = edited === undefined ? null : new Date(asked + edited).toISOString()
      add(user, { content, edited_timestamp }, asked + after, reference)
    },
    vote: (question, answer, user) =>
      void react(questions()[question]!, answer === "approve" ? "✅" : "❌", users[user]!),
    shown: () => questions().map(({ payload }) => JSON.stringify(payload))
  }
})
