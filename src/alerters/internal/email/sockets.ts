/** Makes the connections of a pool, which don't keep the process alive while they wait for the next mail. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import type { SMTPTransportOptions } from "nodemailer"
import { connecting as connectingCommand } from "./reply.ts"

/** Makes the connections of a pool. */
interface Connector {
  /** Makes a connection, as nodemailer asks for one. */
  readonly connect: NonNullable<SMTPTransportOptions["getSocket"]>
  /** Keeps the process alive while a mail is under way. */
  readonly held: <A, E, R>(send: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Ends the attempts to connect. Connections that are made are nodemailer's to close. */
  readonly close: () => void
}

/** @internal */
export const connector = (net: typeof Net, timeout: number): Connector => {
  const sockets = new Set<Net.Socket>()
  const connecting = new Set<Net.Socket>()
  let sending = 0

  const failed = (error: Error & { readonly code?: string }) =>
    // in nodemailer's terms
    Object.assign(error, {
      originalCode: error.code,
      code: error.code === "ETIMEDOUT" ? "ETIMEDOUT" : "ESOCKET",
      command: connectingCommand
    })

  return {
    connect: ({ host, port }, callback) => {
      const socket = net.connect({ host: host ?? "localhost", port: Number(port), autoSelectFamily: true })
      connecting.add(socket)
      const late = setTimeout(
        () => socket.destroy(Object.assign(new Error("connection timeout"), { code: "ETIMEDOUT" })),
        timeout
      )
      const settle = () => {
        clearTimeout(late)
        connecting.delete(socket)
        socket.removeAllListeners()
      }
      socket.once("error", (error) => {
        settle()
        callback(failed(error))
      })
      socket.once("connect", () => {
        settle()
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
        callback(null, { connection: socket })
      })
    },
    held: (send) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          sending++
          sockets.forEach((socket) => socket.ref())
        }),
        () => send,
        () =>
          Effect.sync(() => {
            sending--
            if (sending === 0) sockets.forEach((socket) => socket.unref())
          })
      ),
    close: () => connecting.forEach((socket) => socket.destroy())
  }
}
