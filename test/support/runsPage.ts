/** The page with recorded runs, in a browser. Used by one file of tests, whose browser it starts. */
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as assert from "node:assert/strict"
import { createServer } from "node:http"
import type { BrowserContextOptions, Page } from "playwright-core"
import { Report } from "../../src/report/index.ts"
import { act } from "./browsing.ts"
import { browserOfFile } from "./chromium.ts"
import { ended, idOf, pageEnded, start, stepEnded, writeRecord } from "./recordFiles.ts"

const newTab = browserOfFile()

export const minute = 60_000

/** Opens the page of a folder. Asserts at the end that nothing but the server was asked, and that nothing went wrong. */
export const opened = (
  folder: string,
  options?: BrowserContextOptions,
  { durable = Layer.empty, path = "/" }: {
    readonly durable?: Layer.Layer<never> | Layer.Layer<Report.DurableRuns>
    readonly path?: string
  } = {}
) =>
  Effect.gen(function*() {
    let link = ""
    yield* Layer.build(Layer.provide(
      Report.layerUi({
        folder,
        onLink: (text) => {
          link = text
        }
      }).pipe(Layer.provide(durable)),
      NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })
    ))
    const { errors, page, requests } = yield* newTab({ viewport: { width: 1200, height: 800 }, ...options })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        assert.deepEqual(errors, [])
        for (const { method, url } of requests) {
          assert.ok(method === "GET" || new URL(url).pathname.startsWith("/api/durable/"), url)
          assert.equal(new URL(url).origin, new URL(link).origin)
        }
      })
    )
    yield* act(() => page.goto(new URL(`${path}${new URL(link).search}`, link).href))
    yield* act(() => page.getByRole("status").filter({ hasText: path === "/" ? /runs?$/ : /./ }).first().waitFor())
    return page
  })

export const rows = (page: Page) => page.locator(".rows .row")

/** Writes two runs with steps of hostile names, of which some have changed. Returns their addresses. */
export const writeTwo = (folder: string): readonly [before: string, after: string] => {
  const hostile = `<img src=x onerror=alert(1)>\u202e\u001b[31m${"long".repeat(200)}`
  writeRecord(folder, {
    id: "a",
    lines: [
      stepEnded(0, "load", 400),
      pageEnded(1, "a/1", 100),
      stepEnded(3, "save", 20),
      stepEnded(4, hostile, 5),
      ended("success", 500)
    ]
  })
  writeRecord(folder, {
    id: "b",
    at: start + minute,
    lines: [
      stepEnded(0, "load", 900),
      pageEnded(1, "a/1", 110),
      pageEnded(2, "b", 300),
      stepEnded(3, "save", 20, { outcome: "failure", cause: "Error: full" }),
      stepEnded(4, hostile, 6),
      ended("failure", 1000, start + minute)
    ]
  })
  return [idOf("a"), idOf("b")]
}
