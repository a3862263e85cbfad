/** Fakes the part of Telegram's Bot API that questions use: https://core.telegram.org/bots/api */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fakeApi, type FakeChannel } from "./fakeApi.ts"

interface User {
  readonly id: number
  readonly first_name: string
  readonly last_name?: string
  readonly username?: string
  readonly is_bot?: boolean
}

interface Message {
  readonly message_id: number
  // oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
  payload: any
  /** The callback data of the first and second button, kept even if an edit removes the buttons. */
  readonly data: readonly [string, string]
}

export interface FakeTelegram extends FakeChannel {
  readonly messages: Array<Message>
  /** Presses a button with this data, of a message where one is given. */
  readonly press: (data: string, user: User, message?: { readonly chat: number; readonly id: number }) => void
  /** The answers shown to people who pressed a button, in order. */
  readonly told: () => ReadonlyArray<{ readonly text: string; readonly show_alert: boolean }>
}

export const users: Readonly<Record<string, User>> = {
  "1": { id: 1, first_name: "Ada", last_name: "Lovelace", username: "AdaL", is_bot: false },
  "2": { id: 2, first_name: "Eve", is_bot: false }
}

export const fakeTelegram: Effect.Effect<FakeTelegram, never, Scope.Scope> = Effect.gen(function*() {
  const messages: Array<Message> = []
  let updates: Array<{ readonly update_id: number; readonly callback_query: { readonly id: string } }> = []
  let lastUpdate = 500
  const ok = (result: unknown) => ({ body: { ok: true, result } })
  const refused = (error_code: number, description: string) => ({
    status: error_code,
    body: { ok: false, error_code, description }
  })
  const press: FakeTelegram["press"] = (data, from, place) => {
    const update_id = ++lastUpdate
    const message = place === undefined ? undefined : { message_id: place.id, chat: { id: place.chat } }
    updates.push({ update_id, callback_query: { id: `q${update_id}`, from, data, message } as { readonly id: string } })
  }
  const api = yield* fakeApi(({ path }) => path.split("/").at(-1)!, (method, { json, path }) => {
    if (!/^\/bot\d+:/.test(path)) return refused(401, "Unauthorized")
    switch (method) {
      case "sendMessage": {
        const buttons: ReadonlyArray<{ readonly callback_data: string }> = json.reply_markup.inline_keyboard[0]
        const dataOf = (end: string) => buttons.find(({ callback_data }) => callback_data.endsWith(end))?.callback_data
        const no = dataOf(":n") ?? ""
        const message_id = messages.length + 1
        messages.push({ message_id, payload: json, data: [dataOf(":y") ?? no.replace(/n$/, "y"), no] })
        return ok({ message_id, chat: { id: -1000 - Number(json.chat_id) } })
      }
      case "editMessageText": {
        const message = messages.find(({ message_id }) => message_id === json.message_id && json.chat_id === -1042)
        if (message === undefined) return refused(400, "Bad Request: message to edit not found")
        message.payload = json
        return ok(true)
      }
      case "getUpdates":
        // as the API: updates below the offset are confirmed and not delivered again
        updates = updates.filter(({ update_id }) => update_id >= (json.offset ?? 0))
        return ok(updates.slice(0, json.limit))
      case "answerCallbackQuery":
        return ok(true)
      default:
        return refused(404, "Not Found")
    }
  })
  return {
    api,
    methods: { ask: "sendMessage", poll: "getUpdates", edit: "editMessageText" },
    messages,
    press,
    told: () => api.bodies("answerCallbackQuery"),
    vote: (question, answer, user) => press(messages[question]!.data[answer === "approve" ? 0 : 1], users[user]!),
    shown: () => messages.map(({ payload }) => JSON.stringify(payload))
  }
})
