/** Opens pages in Debian's Chromium and records their errors and requests. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { after, before } from "node:test"
import { type BrowserContextOptions, chromium, type Page } from "playwright-core"

/** The one without windows takes half of the time. */
const installed = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"]

/** `undefined` where there is no Chromium. */
export const executablePath = [process.env["CHROMIUM_PATH"] ?? installed].flat().find((path) => existsSync(path))

export interface Tab {
  readonly page: Page
  /** Errors and warnings on the console, violations of the Content-Security-Policy included, and uncaught errors of scripts. */
  readonly errors: ReadonlyArray<string>
  readonly requests: ReadonlyArray<{ readonly method: string; readonly url: string }>
}

/** Starts a browser and returns a function that opens tabs, which share no state. It runs until the scope closes. */
export const browser: Effect.Effect<
  (options?: BrowserContextOptions) => Effect.Effect<Tab, never, Scope.Scope>,
  never,
  Scope.Scope
> = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({
        ...(executablePath === undefined ? {} : { executablePath }),
        args: [
          "--headless",
          "--no-sandbox",
          "--renderer-process-limit=1",
          "--no-zygote",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync"
        ]
      })
    ),
    (browser) => Effect.promise(() => browser.close())
  ),
  (browser) => (options) =>
    Effect.gen(function*() {
      const context = yield* Effect.acquireRelease(
        Effect.promise(() => browser.newContext(options)),
        (context) => Effect.promise(() => context.close())
      )
      const errors: Array<string> = []
      const requests: Array<{ method: string; url: string }> = []
      context.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text())
      })
      context.on("weberror", (error) => errors.push(String(error.error())))
      context.on("request", (request) => requests.push({ method: request.method(), url: request.url() }))
      const page = yield* Effect.promise(() => context.newPage())
      page.setDefaultTimeout(5000)
      return { page, errors, requests }
    })
)

/** Starts a browser for the tests of a file, and returns a function that opens tabs in it. */
export const browserOfFile = (): Effect.Success<typeof browser> => {
  const scope = Scope.makeUnsafe()
  let newTab: Effect.Success<typeof browser>
  before(async () => {
    newTab = await Effect.runPromise(Scope.provide(browser, scope))
  })
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return (options) => newTab(options)
}
