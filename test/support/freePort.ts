import * as Effect from "effect/Effect"
import { createServer } from "node:net"

/** Finds a port of 127.0.0.1 that is free. Another process may take it before it is used. */
export const freePort: Effect.Effect<number> = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})
