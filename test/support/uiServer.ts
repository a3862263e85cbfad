/** Serves the page of runs on 127.0.0.1, for tests that send it requests. */
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Exit, Latch, Layer, Scope } from "effect"
import { createServer, request as httpRequest } from "node:http"
import { Report } from "../../src/report/index.ts"

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

interface Sending {
  readonly method?: string
  readonly body?: string
  /** Says when enough of the reply was read. Unless set, all of it is. */
  readonly isEnough?: (body: string) => boolean
}

/** Serves a folder with durable runs, if there are any, and returns its link and a function that sends requests. */
export const served = (
  folder: string,
  durable: Layer.Layer<never> | Layer.Layer<Report.DurableRuns> = Layer.empty
) =>
  Effect.gen(function*() {
    let link = ""
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    yield* Layer.buildWithScope(
      Report.layerUi({
        folder,
        onLink: (text) => {
          link = text
        }
      }).pipe(
        Layer.provide(durable),
        Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
      ),
      scope
    )
    const { origin, port, searchParams } = new URL(link)
    const token = searchParams.get("token")!
    const cookie = `epilogue_ui_${port}=${token}`
    /** Sends a request, and reads the reply until `isEnough`. */
    const get = (
      target: string,
      headers: Readonly<Record<string, string>> = { cookie },
      { body: given, isEnough = () => false, method = "GET" }: Sending = {}
    ) =>
      Effect.callback<Reply>((resume) => {
        const sent = httpRequest({ host: "127.0.0.1", port, path: target, method, headers }, (response) => {
          let body = ""
          const reply = () =>
            resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body }))
          response.setEncoding("utf8").on("data", (chunk: string) => {
            body += chunk
            if (isEnough(body)) {
              reply()
              sent.destroy()
            }
          }).on("end", reply).on("error", () => {})
        })
        sent.on("error", () => {}).end(given)
      })
    return { cookie, get, link, origin, port, token }
  })

/** Returns the values of server-sent events. */
export const valuesIn = <A>(body: string): ReadonlyArray<A> =>
  body.split("\n\n").flatMap((text) => text.startsWith("data: ") ? [JSON.parse(text.slice(6))] : [])

/** Whether a whole event with a value was read. */
export const hasEvent = (body: string): boolean => /^data: .*\n\n/m.test(body)

/** Reads a stream of events to its end, on a fiber. Returns that, with an effect that waits for the first event. */
export const streamed = (get: Effect.Success<ReturnType<typeof served>>["get"], target: string) =>
  Effect.gen(function*() {
    const latch = yield* Latch.make()
    const isEnough = (body: string) => {
      if (hasEvent(body)) latch.openUnsafe()
      return false
    }
    return [yield* Effect.forkChild(get(target, undefined, { isEnough })), latch.await] as const
  })
