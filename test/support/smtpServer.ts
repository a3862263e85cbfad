/** A mail server on 127.0.0.1 that accepts mails, or fails in prepared ways, and records what it receives. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ParsedMail, simpleParser } from "mailparser"
import * as assert from "node:assert/strict"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"
import { selfSigned } from "./certificate.ts"

/** A command of the SMTP conversation that is answered with an error code. */
export interface Refusal {
  readonly at: "connect" | "auth" | "from" | "to" | "data"
  readonly code: number
  readonly text?: string
  /** With `at: "to"`: the one recipient that is refused, all unless set. */
  readonly recipient?: string
}

/** The server's behaviour in one attempt to send a mail. A conversation has several over a connection that is kept. */
export type Behaviour = "accept" | "hang" | "hangAfterData" | "resetAfterData" | Refusal

export interface SmtpServerOptions {
  /** The credentials that clients must log in with. No login is needed unless set. */
  readonly auth?: { readonly user: string; readonly pass: string }
  /** Whether connections start with TLS, in place of STARTTLS. */
  readonly secure?: boolean
  /** The behaviour in each attempt, in order. The last one is repeated. */
  readonly behaviours?: ReadonlyArray<Behaviour>
  /** How many connections it accepts at a time. It refuses others with the code 421. Any number unless set. */
  readonly maxClients?: number
  /** How many mails it accepts in one conversation. It refuses others with the code 421. Any number unless set. */
  readonly maxMessages?: number
  /** Any free port unless set. */
  readonly port?: number
}

export interface Received {
  readonly raw: string
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly encrypted: boolean
  readonly user: string | undefined
  /** The number of the conversation, from 1. */
  readonly conversation: number
}

export interface SmtpServer {
  readonly port: number
  /** The server's self-signed certificate. */
  readonly ca: string
  /** The mails received, including those after which the connection was reset. */
  readonly received: Array<Received>
  /** The received mails, parsed. */
  readonly mails: Effect.Effect<ReadonlyArray<ParsedMail>>
  /** The number of conversations so far. */
  readonly conversations: () => number
  /** The number of attempts so far: conversations, and further mails in them. */
  readonly attempts: () => number
  /** Waits until every conversation has ended. */
  readonly idle: Effect.Effect<void>
  readonly behave: (...behaviours: ReadonlyArray<Behaviour>) => void
}

export const smtpServer = (options: SmtpServerOptions = {}): Effect.Effect<SmtpServer, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(() => start(options)), ({ close }) => Effect.promise(close))

/** Keeps the parser from deriving the text part from the HTML part or the other way round. */
const asIs = { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true }

interface Session {
  readonly number: number
  behaviour: Behaviour
  mails: number
}

// by the id of the conversation
type Sessions = Map<string, Session>

const start = async (
  { auth, behaviours: initial = ["accept"], maxClients = Infinity, maxMessages = Infinity, port = 0, secure = false }:
    SmtpServerOptions
): Promise<SmtpServer & { readonly close: () => Promise<void> }> => {
  const { cert, key } = selfSigned()
  const received: Array<Received> = []
  const sessions: Sessions = new Map()
  const sockets = new Set<Socket>()
  const waiting = new Set<() => void>()
  let behaviours = [...initial]
  let conversations = 0
  let attempts = 0
  let closed = 0

  const next = (): Behaviour => {
    attempts++
    return (behaviours.length > 1 ? behaviours.shift() : behaviours[0]) ?? "accept"
  }

  const refusal = (id: string, at: Refusal["at"], recipient?: string): Error | undefined => {
    const behaviour = sessions.get(id)?.behaviour
    if (typeof behaviour !== "object" || behaviour.at !== at) return undefined
    if (behaviour.recipient !== undefined && behaviour.recipient !== recipient) return undefined
    return Object.assign(new Error(behaviour.text ?? "not now"), { responseCode: behaviour.code })
  }

  const handlers: SMTPServerOptions = {
    key,
    cert,
    secure,
    maxClients,
    authOptional: auth === undefined,
    disableReverseLookup: true,
    closeTimeout: 10,
    onConnect: ({ id }, callback) => {
      conversations++
      const behaviour = next()
      sessions.set(id, { number: conversations, behaviour, mails: 0 })
      if (behaviour !== "hang") callback(refusal(id, "connect"))
    },
    onAuth: ({ password, username }, { id }, callback) => {
      const refused = refusal(id, "auth")
      if (refused !== undefined) return callback(refused)
      if (username === auth?.user && password === auth?.pass) return callback(null, { user: username })
      return callback(Object.assign(new Error(`no such user, ${username}: ${password}`), { responseCode: 535 }))
    },
    onClose: () => {
      closed++
      if (closed === conversations) waiting.forEach((resume) => resume())
    },
    onMailFrom: (_, { id }, callback) => {
      const session = sessions.get(id)
      if (session === undefined) return
      if (++session.mails > maxMessages) {
        return callback(Object.assign(new Error("too many mails"), { responseCode: 421 }))
      }
      if (session.mails > 1) session.behaviour = next()
      if (session.behaviour !== "hang") callback(refusal(id, "from"))
    },
    onRcptTo: ({ address }, { id }, callback) => callback(refusal(id, "to", address)),
    onData: (stream, session, callback) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope
        const refused = refusal(session.id, "data")
        if (refused !== undefined) return callback(refused)
        received.push({
          raw: Buffer.concat(chunks).toString(),
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          encrypted: session.secure,
          user: session.user,
          conversation: sessions.get(session.id)?.number ?? 0
        })
        const behaviour = sessions.get(session.id)?.behaviour
        if (behaviour === "resetAfterData") sockets.forEach((socket) => socket.destroy())
        else if (behaviour !== "hangAfterData") callback(null)
      })
    }
  }
  const server = new SMTPServer(handlers)
  // clients that disconnect during the handshake are part of the tests; without a listener Node would throw
  server.on("error", () => {})
  const listening = server.listen(port, "127.0.0.1")
  listening.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => listening.once("listening", resolve))
  return {
    port: (listening.address() as AddressInfo).port,
    ca: cert,
    received,
    mails: Effect.promise(() => Promise.all(received.map(({ raw }) => simpleParser(raw, asIs)))),
    conversations: () => conversations,
    attempts: () => attempts,
    idle: Effect.callback((resume) => {
      if (closed === conversations) resume(Effect.void)
      else waiting.add(() => resume(Effect.void))
    }),
    behave: (...next) => {
      behaviours = [...next]
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        sockets.forEach((socket) => socket.destroy())
      })
  }
}

/** Starts a mail server that offers a login but no TLS, and records every line it receives. */
export const cleartextServer: Effect.Effect<
  { readonly port: number; readonly lines: Array<string> },
  never,
  Scope.Scope
> = Effect.acquireRelease(
  Effect.promise(async () => {
    const lines: Array<string> = []
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.write("220 test ESMTP\r\n")
      socket.on("data", (chunk) => {
        for (const line of chunk.toString().split("\r\n").filter((line) => line !== "")) {
          lines.push(line)
          socket.write(
            line.startsWith("EHLO")
              ? "250-test\r\n250 AUTH PLAIN LOGIN\r\n"
              : line.startsWith("STARTTLS")
              ? "502 5.5.1 Command not implemented\r\n"
              : line.startsWith("AUTH")
              ? "535 5.7.8 no\r\n"
              : "250 OK\r\n"
          )
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    assert.ok(typeof address === "object" && address !== null)
    return { port: address.port, lines, server, sockets }
  }),
  ({ server, sockets }) =>
    Effect.promise(() =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        sockets.forEach((socket) => socket.destroy())
      })
    )
)
