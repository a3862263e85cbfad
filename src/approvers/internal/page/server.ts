/** Serves pages, each at a URL with a secret token, and receives their forms. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { limitMillis } from "../../../internal/model/limit.ts"
import { numberMistakes, wholeMistakes } from "../../../internal/model/options.ts"
import { pageHeaders } from "../../../internal/text/pageHeaders.ts"
import { isSameSecret } from "../../../internal/text/token.ts"
import type { WebPageOptions } from "../../WebPageOptions.ts"
import { messagePage, style } from "./html.ts"

/** @internal */
export const channel = "web-page"

/** The answer to a request. */
export interface Reply {
  readonly status: number
  readonly html: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Called when the reply has been sent, or the connection is closed. */
  readonly sent?: (() => void) | undefined
}

/** A page, which asks one question. */
export interface Page {
  readonly show: () => Reply
  readonly submit: (form: URLSearchParams) => Promise<Reply>
}

/** @internal */
export interface Server {
  /** Adds a page. Returns its link, which works until `remove` is called. */
  readonly add: (page: Page) => { readonly link: string; readonly token: string; readonly remove: () => void }
}

interface Site {
  /** The URLs by which people may reach it. */
  readonly urls: ReadonlyArray<URL>
  readonly pages: Map<string, Page>
}

/** The longest body, in bytes: ten times what the form can contain. */
const maxBody = 1 << 18

/** Starts a server, which listens as long as the scope is open. */
export const start = (
  options: Pick<WebPageOptions, "connectionTimeout" | "hostname" | "maxConnections" | "port" | "publicUrl">
): Effect.Effect<Server, AlerterError, Scope.Scope> =>
  Effect.gen(function*() {
    const hostname = options.hostname ?? "127.0.0.1"
    const publicUrl = options.publicUrl === undefined ? undefined : URL.parse(options.publicUrl)
    if (publicUrl === null || (publicUrl !== undefined && !/^https?:$/.test(publicUrl.protocol))) {
      return yield* invalid("publicUrl is no address of http or https")
    }
    if (publicUrl === undefined && ["", "0.0.0.0", "::", "[::]"].includes(hostname)) {
      return yield* invalid(`nobody can tell from the hostname "${hostname}" where the page is: publicUrl has to say`)
    }
    const csp = yield* policy
    const site = { urls: new Array<URL>(), pages: new Map<string, Page>() }
    const { connectionTimeout = "10 seconds", maxConnections = 100 } = options
    const age = limitMillis(connectionTimeout) ?? 0
    if (age <= 0) return yield* invalid("connectionTimeout is no positive duration")
    const [mistake] = [
      ...numberMistakes("maxConnections", maxConnections, "above 0"),
      ...wholeMistakes("port", options.port, 0, 65_535)
    ]
    if (mistake !== undefined) return yield* invalid(mistake)
    const limits = { maxConnections, maxAge: Math.min(age, maxTimer) }
    const port = yield* listen(hostname, options.port ?? 0, limits, (request, response) => {
      void respond(site, csp, request, response)
    })
    const bound = new URL(
      `http://${hostname.includes(":") ? `[${hostname.replace(/[[\]]/g, "")}]` : hostname}:${port}/`
    )
    site.urls.push(...(publicUrl === undefined ? [bound] : [publicUrl, bound]))
    const base = new URL(publicUrl ?? bound)
    base.pathname = base.pathname.replace(/\/?$/, "/")
    base.search = base.hash = ""
    return {
      add: (page) => {
        const token = newToken()
        site.pages.set(token, page)
        return { link: `${base.href}${token}`, token, remove: () => void site.pages.delete(token) }
      }
    }
  })

const invalid = (detail: string) =>
  Effect.fail(new AlerterError({ channel, reason: AlerterErrorReason.InvalidAlert({ detail }) }))

const unreachable = (detail: string) =>
  new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({ detail }) })

/** Returns 256 random bits in hexadecimal. */
const newToken = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The content security policy: allows nothing but the style sheet, by its hash. */
const policy: Effect.Effect<string> = Effect.map(
  Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(style))),
  (hash) =>
    `default-src 'none'; style-src 'sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}'; ` +
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

const listen = (
  hostname: string,
  port: number,
  limits: Limits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void
): Effect.Effect<number, AlerterError, Scope.Scope> =>
  Effect.gen(function*() {
    // imported here, so that a browser can load this module
    const [http, net] = yield* Effect.tryPromise({
      try: () => Promise.all([import("node:http"), import("node:net")]),
      catch: () => unreachable("this runtime has no node:http")
    })
    const requests = http.createServer(onRequest)
    const open = new Set<Socket>()
    // A server of its own: that of `node:http` on Bun does not tell of a connection before its request.
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        net.createServer(
          { allowHalfOpen: true },
          limiting(limits, open, (socket) => requests.emit("connection", socket))
        )
      ),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of open) socket.destroy()
        })
    )
    return yield* Effect.callback<number, AlerterError>((resume) => {
      const refused = (error: unknown) => {
        const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : ""
        resume(Effect.fail(unreachable(`can't listen on ${hostname}, port ${port}${code}`)))
      }
      server.on("error", refused)
      try {
        server.listen({ host: hostname.replace(/[[\]]/g, ""), port }, () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
        })
      } catch (error) {
        // `listen` throws on an invalid port
        refused(error)
      }
    })
  })

interface Limits {
  readonly maxConnections: number
  /** How long a connection may be open, in milliseconds. */
  readonly maxAge: number
}

/** The longest time of `setTimeout`, in milliseconds. */
const maxTimer = 2 ** 31 - 1

/**
 * Drops connections beyond a number, and those that take too long, be it that they send nothing, or that they send a
 * request bit by bit.
 */
const limiting = (
  { maxAge, maxConnections }: Limits,
  open: Set<Socket>,
  accept: (socket: Socket) => void
) =>
(socket: Socket): void => {
  // a connection that breaks off is no error of the server
  socket.on("error", () => {})
  if (open.size >= maxConnections) {
    socket.destroy()
    return
  }
  open.add(socket)
  const timer = setTimeout(() => socket.destroy(), maxAge)
  socket.once("close", () => {
    clearTimeout(timer)
    open.delete(socket)
  })
  accept(socket)
}

const respond = async (site: Site, csp: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  // the reason of a defect is not shown to the visitor
  const reply = await answerTo(site, request).catch(() => message(500, "Something went wrong"))
  const { headers, html, sent, status } = reply
  if (sent !== undefined) response.once("finish", sent).once("close", sent)
  // a kept connection would keep the server from closing
  response.shouldKeepAlive = false
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": new TextEncoder().encode(html).length,
    "content-security-policy": csp,
    ...pageHeaders,
    connection: "close",
    ...headers
  })
  response.end(request.method === "HEAD" ? undefined : html)
}

const message = (status: number, title: string, headers?: Readonly<Record<string, string>>): Reply => ({
  status,
  html: messagePage(title),
  headers
})

const answerTo = async (site: Site, request: IncomingMessage): Promise<Reply> => {
  const { headers, method } = request
  // DNS rebinding: a page elsewhere, whose name was made to point to this machine, must not reach the server
  if (!site.urls.some((url) => isHostOf(url, headers.host))) return message(421, "There is no such site here")
  const page = find(site.pages, request.url ?? "")
  if (page === undefined) return message(404, "There is no such page")
  if (method === "GET" || method === "HEAD") return page.show()
  if (method !== "POST") return message(405, "This can't be done with the page", { allow: "GET, HEAD, POST" })
  if (isForged(site, headers)) return message(403, "An answer has to come from the page itself")
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(headers["content-type"] ?? "")) {
    return message(415, "An answer has to be a form")
  }
  const body = await read(request)
  return body === undefined ? message(413, "The answer is too long") : page.submit(new URLSearchParams(body))
}

const isHostOf = (url: URL, host: string | undefined): boolean =>
  host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.parse(`${url.protocol}//${host}`)?.host === url.host

/**
 * Returns whether a form comes from another site. Since the page sends no referrer, the `Origin` of its own form is
 * `null` (https://fetch.spec.whatwg.org/#append-a-request-origin-header), as it is for forged ones; `Sec-Fetch-Site`
 * tells them apart.
 */
const isForged = (site: Site, headers: IncomingMessage["headers"]): boolean => {
  const { origin, "sec-fetch-site": from } = headers
  if (from !== undefined && from !== "same-origin") return true
  return origin !== undefined && origin !== "null" && !site.urls.some((url) => url.origin === origin)
}

/** Returns the page whose token the path ends with. All tokens are compared, so that the time reveals nothing. */
const find = (pages: ReadonlyMap<string, Page>, path: string): Page | undefined => {
  const given = path.replace(/[?#].*$/s, "").split("/").at(-1) ?? ""
  let found: Page | undefined
  for (const [token, page] of pages) {
    if (isSameSecret(token, given)) found = page
  }
  return found
}

/** Reads the body. Resolves to `undefined` if it is too long. */
const read = (request: IncomingMessage): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    request.on("data", (chunk: Uint8Array) => {
      size += chunk.length
      // The rest is read and dropped, up to a point: a client that is still sending does not read the answer.
      if (size > 8 * maxBody) resolve(undefined)
      else if (size <= maxBody) text += decoder.decode(chunk, { stream: true })
    })
    request.once("end", () => resolve(size > maxBody ? undefined : text + decoder.decode()))
    request.once("error", reject)
    request.once("close", () => reject(new Error("the request broke off")))
  })
