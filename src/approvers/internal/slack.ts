/** Asks in Slack, and reads reactions and the thread. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Field } from "../../Alert.ts"
import { type AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import type { Channel } from "../../alerters/internal/channel/channel.ts"
import * as Http from "../../alerters/internal/channel/http.ts"
import { read } from "../../alerters/internal/slack/api.ts"
import { message, quiet } from "../../alerters/internal/slack/message.ts"
import type { Person, Question } from "../../Approver.ts"
import { at, listAt, textAt } from "../../internal/approvals/json.ts"
import { labelsShown, mayAnswer, type Vote } from "../../internal/approvals/question.ts"
import { withoutTrailingSlashes } from "../../internal/text/baseUrl.ts"
import * as Writer from "../../internal/text/writer.ts"
import type { Driver } from "./polling.ts"
import { asking, howWithValues, replied, settled } from "./question.ts"

export interface Settings {
  readonly token: string
  readonly channel: string
  readonly baseUrl: string
}

const reactions = { approve: "white_check_mark", deny: "x" } as const

/** The id of Slackbot, which anybody can teach replies, and which Slack does not mark as a bot: https://github.com/slackapi/bolt-js/issues/794 */
const slackbot = "USLACKBOT"

/** The largest page of a thread: https://docs.slack.dev/reference/methods/conversations.replies */
const pageSize = 200

/** Undoes the escapes that Slack adds to texts. */
const unescape = (text: string): string => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&")

/** The fields that say how to answer. */
const how = (question: Question): ReadonlyArray<Field> => {
  const { approve, deny } = labelsShown(question)
  if (question.values !== undefined) {
    return howWithValues(question, { deny: `To deny, react with ❌, or reply in the thread with “${deny}”` })
  }
  return [
    { name: "Answer", value: `✅ ${approve}   ❌ ${deny}` },
    { name: "How", value: `React, or reply in the thread with “${approve}” or “${deny}” and, if you like, a comment` }
  ]
}

/** Reads an answer. One of another shape comes from a proxy, and is retried. */
const reading = (http: Http.Http, tolerated: ReadonlyArray<string>): Http.Read<unknown> => {
  const answered = read(http.detail, tolerated)
  return (answer) =>
    at(answer.json, "ok") === undefined
      ? Effect.fail(Http.failure(AlerterErrorReason.Unreachable({ detail: "no answer of Slack's" }), true))
      : answered(answer)
}

/** The place of a question's message. */
export interface Posted {
  readonly channel: string
  readonly ts: string
}

/** @internal */
export const make = (settings: Settings, { error, http, time, words }: Channel): Driver<Posted> => {
  const { channel: channelName, token } = settings
  const baseUrl = withoutTrailingSlashes(settings.baseUrl)
  const authorized = HttpClientRequest.bearerToken(token)

  const get = (
    method: string,
    params: Readonly<Record<string, string | number>>,
    tolerated: ReadonlyArray<string> = []
  ) =>
    http.send(
      authorized(HttpClientRequest.get(`${baseUrl}/${method}`, { urlParams: params })),
      reading(http, tolerated)
    )

  const post = (method: string, body: unknown, tolerated: ReadonlyArray<string> = []) =>
    http.send(
      HttpClientRequest.setHeader(
        HttpClientRequest.bodyJsonUnsafe(authorized(HttpClientRequest.post(`${baseUrl}/${method}`)), body),
        "content-type",
        "application/json; charset=utf-8"
      ),
      reading(http, tolerated)
    )

  let self: string | undefined
  /** The bot's own id: its own reactions, which show how to answer, don't count. */
  const ownId = Effect.suspend(() =>
    self !== undefined ? Effect.succeed(self) : Effect.flatMap(post("auth.test", {}), (json) => {
      self = textAt(json, "user_id")
      return self === undefined
        ? Effect.fail(error(AlerterErrorReason.Rejected({ detail: "auth.test does not say who the bot is" })))
        : Effect.succeed(self)
    })
  )

  let namesRefused = false
  /** People, by id; `undefined` for bots and for whom Slack does not tell from a bot: their answers don't count. */
  const people = new Map<string, Person | undefined>()
  const person = (id: string): Effect.Effect<Person | undefined, AlerterError> => {
    if (people.has(id) || namesRefused) return Effect.succeed(people.get(id))
    return Effect.flatMap(
      get("users.info", { user: id }, ["missing_scope", "user_not_found", "user_not_visible"]),
      (json) => {
        const user = at(json, "user")
        const isPerson = textAt(user, "id") === id && at(user, "is_bot") !== true && id !== slackbot
        const name = textAt(user, "profile", "display_name") ?? textAt(user, "real_name") ?? textAt(user, "name")
        const found = isPerson ? { id, name: name ?? id } : undefined
        people.set(id, found)
        if (textAt(json, "error") !== "missing_scope") return Effect.succeed(found)
        namesRefused = true
        const warning = Writer.logWarning(
          "effect-epilogue: slack: no answer counts, since without this scope Slack does not tell people from bots",
          http.detail(`needed: ${textAt(json, "needed") ?? "users:read"}`)
        )
        return Effect.as(warning, found)
      }
    )
  }

  let repliesRefused = false
  /** Lists the replies in the thread. */
  const replies = (channel: string, ts: string) =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      let cursor: string | undefined = ""
      while (cursor !== undefined && !repliesRefused) {
        const page: unknown = yield* get(
          "conversations.replies",
          { channel, ts, limit: pageSize, ...(cursor === "" ? {} : { cursor }) },
          ["missing_scope"]
        )
        if (at(page, "ok") !== true) {
          repliesRefused = true
          yield* Writer.logWarning(
            "effect-epilogue: slack: replies can't be read, only reactions count",
            http.detail(`needed: ${textAt(page, "needed") ?? "channels:history"}`)
          )
        }
        found.push(...listAt(page, "messages").filter((reply) => textAt(reply, "ts") !== ts))
        cursor = at(page, "has_more") === false ? undefined : textAt(page, "response_metadata", "next_cursor")
      }
      return found
    })

  const voteOf = (
    question: Question,
    { id, ...rest }: Heard,
    me: string
  ): Effect.Effect<ReadonlyArray<Vote>, AlerterError> =>
    // people who may not answer need not be looked up
    id === me || !mayAnswer(question, { id, name: id })
      ? Effect.succeed([])
      : Effect.map(person(id), (by) => by === undefined ? [] : [{ by, ...rest }])

  return {
    read: (json) => {
      const channel = textAt(json, "channel")
      const ts = textAt(json, "ts")
      return channel === undefined || ts === undefined || timeOf(ts) === undefined ? undefined : { channel, ts }
    },
    post: (question, at) =>
      Effect.gen(function*() {
        // first, since without it no answer could be heard
        yield* ownId
        const posted = yield* post("chat.postMessage", {
          channel: channelName,
          ...message(asking(question, at, how(question), time), { time, words }),
          ...quiet
        })
        const ts = textAt(posted, "ts")
        if (ts === undefined) {
          return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail: "no ts of the question" })))
        }
        return { channel: textAt(posted, "channel") ?? channelName, ts }
      }),
    open: (question, { askedAt, message: { channel, ts } }) => {
      const react = (name: string) => post("reactions.add", { channel, timestamp: ts, name }, ["already_reacted"])
      const poll = Effect.gen(function*() {
        const me = yield* ownId
        const answers = yield* replies(channel, ts)
        // Read last, since reactions have no time: a denial that came before an approval in the thread must be seen with it.
        const reacted = yield* get("reactions.get", { channel, timestamp: ts, full: "true" })
        const heard = [...reactionsIn(reacted), ...repliesIn(answers, question)]
        return (yield* Effect.forEach(heard, (vote) => voteOf(question, vote, me))).flat()
      })
      return {
        at: timeOf(ts),
        prepare: question.values === undefined
          ? Effect.andThen(react(reactions.approve), react(reactions.deny))
          : react(reactions.deny),
        poll: () => poll,
        settle: (decision) =>
          post("chat.update", {
            channel,
            ts,
            ...message(settled(question, DateTime.makeUnsafe(askedAt), decision, time), { time, words }),
            parse: quiet.parse,
            link_names: quiet.link_names
          })
      }
    }
  }
}

/** A vote by an id, which may be a bot's. */
type Heard = Omit<Vote, "by"> & { readonly id: string }

const reactionsIn = (json: unknown): ReadonlyArray<Heard> =>
  listAt(json, "message", "reactions").flatMap((reaction) => {
    const name = textAt(reaction, "name")
    const answer = name === reactions.approve ? "approve" : name === reactions.deny ? "deny" : undefined
    if (answer === undefined) return []
    return listAt(reaction, "users").flatMap((id) => typeof id === "string" ? [{ id, answer }] : [])
  })

const repliesIn = (messages: ReadonlyArray<unknown>, question: Question): ReadonlyArray<Heard> =>
  messages.flatMap((reply) => {
    const id = textAt(reply, "user")
    const vote = replied(unescape(textAt(reply, "text") ?? ""), question)
    const byBot = textAt(reply, "bot_id") !== undefined
    if (id === undefined || vote === undefined || byBot) return []
    // An edited message may have said something else before, so an approval counts from its edit, a denial from its post.
    const ts = vote.answer === "approve" ? textAt(reply, "edited", "ts") : undefined
    return [{ id, at: timeOf(ts ?? textAt(reply, "ts")), ...vote }]
  })

/** Returns the time of a message, whose id is the time in seconds. */
const timeOf = (ts: string | undefined): DateTime.Utc | undefined => {
  const time = DateTime.make(Math.floor(Number(ts ?? NaN) * 1000))
  return time._tag === "Some" ? time.value : undefined
}
