/** Asks questions with `WebPage.layer`, and sends its server requests that no browser would send. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type IncomingHttpHeaders, request } from "node:http"
import { WebPage } from "../../src/approvers/index.ts"
import { type AlerterError, Approver, type Decision, type Question } from "../../src/index.ts"

/** The question that the tests of the page ask. */
export const question: Question = {
  title: "Deploy v2 to production?",
  body: "All tests have passed.\nNobody is on holiday.",
  fields: [{ name: "commit", value: "c0ffee1" }],
  options: { approve: "Ship it", deny: "Not now" },
  timeout: "1 hour"
}

/** Returns the token in the address of a page. */
export const tokenOf = (url: string): string => url.split("/").at(-1)!

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Request {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export const send = (url: string, { body, headers = {}, method = "GET" }: Request = {}): Effect.Effect<Answer> =>
  Effect.promise(() =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: false }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk) => chunks.push(chunk))
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString()
          }))
      })
      outgoing.on("error", reject)
      outgoing.end(body)
    })
  )

/** Sends the page's form by POST. */
export const submit = (
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<Answer> =>
  send(url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString()
  })

export interface Link {
  readonly url: string
  readonly approver: string | undefined
}

export interface Asking {
  /** Waits for the next announced link. Dies with the error of the question where asking fails. */
  readonly link: Effect.Effect<Link>
  readonly decision: Fiber.Fiber<Decision, AlerterError>
}

/** Builds a `WebPage` approver and returns a function that asks with it. The server runs until the scope closes. */
export const approver = (
  options: WebPage.WebPageOptions = {}
): Effect.Effect<
  (question: Question) => Effect.Effect<Asking, never, Scope.Scope>,
  AlerterError,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const links = yield* Queue.unbounded<Link>()
    const layer = WebPage.layer({
      announce: (link, _, approver) => Queue.offer(links, { url: Redacted.value(link), approver }),
      ...options
    })
    const { ask } = Context.get(yield* Layer.build(layer), Approver)
    return (question) =>
      Effect.map(Effect.forkScoped(ask(question)), (decision) => ({
        decision,
        // a question that fails is never announced: without the race a test would wait for its link forever
        link: Effect.raceFirst(
          Queue.take(links),
          Effect.andThen(Effect.orDie(Fiber.join(decision)), Effect.never)
        )
      }))
  })

/** Asks one question and waits for its link. */
export const asked = (question: Question, options?: WebPage.WebPageOptions) =>
  Effect.gen(function*() {
    const { decision, link } = yield* (yield* approver(options))(question)
    return { decision, ...(yield* link) }
  })
