/** Makes the replies of the page's server. */
import type * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { pageHeaders } from "../../../internal/text/pageHeaders.ts"
import { messagePage } from "./pages.ts"

/** Shows a page under a policy. */
export const page = (html: string, policy: string, status = 200) =>
  HttpServerResponse.text(html, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: { ...pageHeaders, "content-security-policy": `${policy}; frame-ancestors 'none'` }
  })

/** Shows a page with a message. */
export const message = (status: number, title: string, text: string) => {
  const { html, policy } = messagePage(title, text)
  return page(html, policy, status)
}

const encoder = new TextEncoder()

/** Sends values as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export const events = <A>(values: Stream.Stream<A, unknown>, closing: Effect.Effect<void>) =>
  HttpServerResponse.stream(
    values.pipe(
      Stream.map((value) => `data: ${JSON.stringify(value)}\n\n`),
      // without it the browser would ask for the same again, without end
      Stream.concat(Stream.succeed("event: end\ndata: end\n\n")),
      // what can't be read any more ends the stream: the browser asks again, and gets the reason
      Stream.catch(() => Stream.empty),
      // a proxy or a browser may drop a connection on which nothing comes
      Stream.merge(Stream.map(Stream.tick("20 seconds"), () => ": here\n\n"), { haltStrategy: "left" }),
      Stream.interruptWhen(closing),
      Stream.map((text) => encoder.encode(text))
    ),
    { contentType: "text/event-stream; charset=utf-8", headers: pageHeaders }
  )

/** Tells something to the script of the page. */
export const json = (status: number, value: object): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(JSON.stringify(value), {
    status,
    contentType: "application/json; charset=utf-8",
    headers: pageHeaders
  })

/** Says that a request with another method is needed. */
export const otherMethod = (text: string, allow: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeader(message(405, "This can't be done with the page", text), "allow", allow)

/** Decodes a part of a path; `undefined` where it can't be. */
export const decodePart = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
