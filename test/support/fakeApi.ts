/** Makes fakes of channels' APIs: records calls by method name, and lets tests wait for calls and replace their answers. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Answer, channelServer, type Received, type Reply } from "./channelServer.ts"

export interface Call {
  readonly method: string
  readonly received: Received
}

export interface FakeApi {
  readonly url: string
  readonly calls: Array<Call>
  /** The bodies of all calls of a method, in order. */
  readonly bodies: (method: string) => ReadonlyArray<Received["json"]>
  /** Calls `step` before each answer to a method, with the number of the call, counted from 1. What it returns replaces the answer. */
  readonly on: (method: string, step: (n: number, received: Received) => Reply | undefined | void) => void
  /** Waits for a method's n-th call, the first unless given. */
  readonly called: (method: string, n?: number) => Effect.Effect<void>
}

export const fakeApi = (
  methodOf: (received: Received) => string,
  handle: (method: string, received: Received) => Answer
): Effect.Effect<FakeApi, never, Scope.Scope> => {
  const calls: Array<Call> = []
  const steps: Array<{ readonly method: string; readonly step: Parameters<FakeApi["on"]>[1] }> = []
  const waiting: Array<{ readonly method: string; readonly n: number; readonly resume: () => void }> = []
  const count = (method: string) => calls.filter((call) => call.method === method).length
  const reply = (received: Received) => {
    const method = methodOf(received)
    calls.push({ method, received })
    const n = count(method)
    for (const { method: of, n: from, resume } of waiting) if (of === method && n >= from) resume()
    for (const { method: of, step } of steps) {
      const instead = of === method ? step(n, received) : undefined
      if (instead !== undefined) return typeof instead === "function" ? instead(received) : instead
    }
    return handle(method, received)
  }
  return Effect.map(channelServer(reply), ({ url }) => ({
    url,
    calls,
    bodies: (method) => calls.filter((call) => call.method === method).map(({ received }) => received.json),
    on: (method, step) => void steps.push({ method, step }),
    called: (method, n = 1) =>
      Effect.promise(() =>
        new Promise<void>((resume) => {
          if (count(method) >= n) resume()
          else waiting.push({ method, n, resume })
        })
      )
  }))
}

/** A fake channel in which people answer questions. */
export interface FakeChannel {
  readonly api: FakeApi
  /** The names of the API's methods: the one that posts a question, the first one of each poll, and the one that edits. */
  readonly methods: { readonly ask: string; readonly poll: string; readonly edit: string }
  /** Answers a question, by its index in the order of posting. */
  readonly vote: (question: number, answer: "approve" | "deny", person: string) => void
  /** The messages in their present state, as JSON. */
  readonly shown: () => ReadonlyArray<string>
}
