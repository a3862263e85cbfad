/** Fakes the part of Slack's Web API that questions use: https://docs.slack.dev/reference/methods */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fakeApi, type FakeChannel } from "./fakeApi.ts"

interface Reply {
  readonly user: string
  readonly text: string
  readonly ts: string
  readonly bot_id?: string
  readonly edited?: { readonly user: string; readonly ts: string }
}

interface Message {
  readonly ts: string
  readonly channel: string
  // oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
  payload: any
  readonly reactions: Map<string, Array<string>>
  readonly replies: Array<Reply>
}

export interface FakeSlack extends FakeChannel {
  readonly messages: Array<Message>
  readonly react: (question: number, name: string, user: string) => void
  /** Posts a reply in a question's thread, `after` seconds after the question. */
  readonly reply: (
    question: number,
    user: string,
    text: string,
    after?: number,
    more?: { readonly bot_id?: string; readonly edited?: number }
  ) => void
}

export const bot = "UBOT"

/** The number of messages on a page of a thread: small, so that tests need several pages. */
const pageSize = 2

export const fakeSlack: Effect.Effect<FakeSlack, never, Scope.Scope> = Effect.gen(function*() {
  const messages: Array<Message> = []
  const users: Readonly<Record<string, { readonly real_name: string; readonly is_bot?: boolean }>> = {
    U1: { real_name: "Ada Lovelace" },
    U2: { real_name: "Eve" },
    U3: { real_name: "Grace <!channel> *Hopper*" },
    UROBOT: { real_name: "robot", is_bot: true },
    USLACKBOT: { real_name: "Slackbot", is_bot: false }
  }
  const refused = (error: string) => ({ body: { ok: false, error } })
  const ok = (more: object = {}) => ({ body: { ok: true, ...more } })
  const post = (channel: string, payload: unknown) => {
    const ts = (Date.now() / 1000 + messages.length / 1e6).toFixed(6)
    messages.push({ ts, channel: `C-${channel}`, payload, reactions: new Map(), replies: [] })
    return ok({ ts, channel: `C-${channel}` })
  }
  const react = (message: Message, name: string, user: string) =>
    message.reactions.set(name, [...message.reactions.get(name) ?? [], user])

  const api = yield* fakeApi(({ path }) => path.split("?")[0]!.slice(1), (method, received) => {
    const { headers, path } = received
    if (!headers.authorization?.startsWith("Bearer xoxb-")) return refused("invalid_auth")
    const params = received.method === "GET"
      ? Object.fromEntries(new URL(path, "http://slack").searchParams)
      : received.json
    if (method === "auth.test") return ok({ user_id: bot, bot_id: "B1" })
    if (method === "users.info") {
      const user = users[params.user]
      return user === undefined ? refused("user_not_found") : ok({ user: { id: params.user, ...user } })
    }
    if (method === "chat.postMessage") return post(params.channel, params)
    const message = messages.find(({ channel, ts }) =>
      channel === params.channel && (ts === params.timestamp || ts === params.ts)
    )
    if (message === undefined) {
      return refused(method === "conversations.replies" ? "thread_not_found" : "message_not_found")
    }
    switch (method) {
      case "chat.update":
        message.payload = params
        return ok()
      case "reactions.add":
        react(message, params.name, bot)
        return ok()
      case "reactions.get":
        if (params.full !== "true") return refused("a list of users may be incomplete")
        return ok({
          type: "message",
          message: {
            reactions: [...message.reactions].map(([name, users]) => ({ name, users, count: users.length }))
          }
        })
      case "conversations.replies": {
        const all = [{ user: bot, text: message.payload.text, ts: message.ts, bot_id: "B1" }, ...message.replies]
        const from = Number(params.cursor ?? 0)
        const more = from + pageSize < all.length
        return ok({
          messages: all.slice(from, from + pageSize),
          has_more: more,
          ...(more ? { response_metadata: { next_cursor: String(from + pageSize) } } : {})
        })
      }
      default:
        return refused("unknown_method")
    }
  })

  return {
    api,
    methods: { ask: "chat.postMessage", poll: "reactions.get", edit: "chat.update" },
    messages,
    react: (question, name, user) => void react(messages[question]!, name, user),
    reply: (question, user, text, after = 1, { edited, ...more } = {}) => {
      const { replies, ts } = messages[question]!
      const timeOf = (after: number) => (Number(ts) + after).toFixed(6)
      replies.push({
        user,
        text,
        ts: timeOf(after),
        ...more,
        ...(edited === undefined ? {} : { edited: { user, ts: timeOf(edited) } })
      })
    },
    vote: (question, answer, user) =>
      void react(messages[question]!, answer === "approve" ? "white_check_mark" : "x", user),
    shown: () => messages.map(({ payload }) => JSON.stringify(payload))
  }
})
