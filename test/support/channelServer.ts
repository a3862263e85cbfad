/** An HTTP server on 127.0.0.1 that stands in for a channel's: it gives prepared replies, faults included, and records requests. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  /** The body, parsed as JSON. Throws where it is not JSON. */
  // oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
  readonly json: any
  /** The body, parsed as that of an HTML form. */
  readonly form: Readonly<Record<string, string>>
}

/** Reads the body of an HTML form. */
export const formOf = (body: string): Readonly<Record<string, string>> => Object.fromEntries(new URLSearchParams(body))

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown
}

/** A failure in place of an answer. */
export type Fault = "reset" | "resetMidBody" | "hang"

export type Reply = Answer | Fault | ((request: Received) => Answer | Fault)

export interface ChannelServer {
  /** The server's URL, without a trailing slash. */
  readonly url: string
  readonly requests: Array<Received>
  /** Sets the replies to the next requests, in order. The last reply is repeated. */
  readonly reply: (...replies: ReadonlyArray<Reply>) => void
}

/** Starts a server with prepared replies, and stops it when the scope closes. */
export const channelServer = (...replies: ReadonlyArray<Reply>): Effect.Effect<ChannelServer, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(() => start(replies)), ({ close }) => Effect.promise(close))

const start = async (
  initial: ReadonlyArray<Reply>
): Promise<ChannelServer & { readonly close: () => Promise<void> }> => {
  const requests: Array<Received> = []
  let replies = [...initial]
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString()
      const { headers, method = "", url = "" } = request
      const received: Received = {
        method,
        path: url,
        headers,
        body,
        get json() {
          return JSON.parse(body)
        },
        get form() {
          return formOf(body)
        }
      }
      requests.push(received)
      const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? {}
      answer(response, typeof reply === "function" ? reply(received) : reply)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    reply: (...next) => {
      replies = [...next]
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const answer = (response: ServerResponse, reply: Answer | Fault): void => {
  switch (reply) {
    case "hang":
      return
    case "reset":
      response.socket?.destroy()
      return
    case "resetMidBody":
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
      response.write("{\"ok\":", () => setImmediate(() => response.socket?.destroy()))
      return
    default: {
      const { body, headers, status = 200 } = reply
      const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body)
      const type = typeof body === "string" ? "text/plain" : "application/json"
      response.writeHead(status, { "content-type": type, ...headers }).end(status === 204 ? undefined : text)
    }
  }
}

/** The answer of a proxy whose channel is down. */
export const htmlErrorPage: Answer = {
  status: 502,
  headers: { "content-type": "text/html" },
  body:
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>p {}</style></head><body><p>nginx</p></body></html>"
}
