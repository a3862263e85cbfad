/** Forwards TCP connections to a port of this machine, and can be cut off from it as a network is. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressInfo } from "node:net"
import * as net from "node:net"

export interface TcpProxy {
  readonly port: number
  /** Ends all connections, and each new one at once. */
  readonly cut: Effect.Effect<void>
  /** Forwards nothing, and ends nothing: the other side hears nothing any more. */
  readonly freeze: Effect.Effect<void>
  /** Forwards again; connections that were frozen go on. */
  readonly restore: Effect.Effect<void>
}

/** Listens on a port of its own until the scope closes. */
export const tcpProxy = (port: number): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly proxy: TcpProxy; readonly close: () => void }>((resume) => {
      const open = new Set<net.Socket>()
      let state: "open" | "cut" | "frozen" = "open"
      const endAll = () => {
        for (const socket of open) socket.destroy()
      }
      const track = (socket: net.Socket, other: () => net.Socket | undefined) => {
        open.add(socket)
        if (state === "frozen") socket.pause()
        socket.on("data", (chunk) => void other()?.write(chunk))
        socket.on("error", () => {})
        socket.once("close", () => {
          open.delete(socket)
          other()?.destroy()
        })
      }
      const server = net.createServer((client) => {
        if (state === "cut") return void client.destroy()
        const target = net.connect(port, "127.0.0.1")
        track(client, () => target)
        track(target, () => client)
      })
      const set = (next: typeof state, then: () => void) =>
        Effect.sync(() => {
          state = next
          then()
        })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          proxy: {
            port: (server.address() as AddressInfo).port,
            cut: set("cut", endAll),
            freeze: set("frozen", () => open.forEach((socket) => socket.pause())),
            restore: set("open", () => open.forEach((socket) => socket.resume()))
          },
          close: () => {
            endAll()
            server.close()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ proxy }) => proxy))
