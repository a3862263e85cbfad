/**
 * Draws the mail in docs/channels.md, as Chromium shows it. Run it when mails have changed.
 *
 *     node --conditions=@effect-epilogue/source scripts/mailPicture.ts
 */
import { DateTime, Effect } from "effect"
import { join } from "node:path"
import { Alert } from "../src/index.ts"
import { mailOf } from "../test/support/alertPages.ts"
import { browser } from "../test/support/chromium.ts"

const alert = Alert.make({
  title: "nightly › fetch-table[orders] failed",
  body: "HttpError: 503 Service Unavailable",
  severity: "error",
  fields: {
    pipeline: "nightly",
    run: "nightly-2026_11_28-02_00_00",
    step: "fetch-table",
    attempt: "3",
    duration: "4.2 s"
  },
  detail:
    "HttpError: 503 Service Unavailable\n    at fetchTable (/srv/jobs/nightly.ts:21:11)\n    … 6 frames of effect",
  url: "https://runs.example.com/runs/8f3c#fetch-table[orders]",
  at: DateTime.makeUnsafe("2026-11-28T01:00:09Z")
})

const draw = Effect.gen(function*() {
  const html = yield* mailOf(alert)
  const { page } = yield* (yield* browser)({ viewport: { width: 620, height: 200 }, colorScheme: "light" })
  yield* Effect.promise(() => page.setContent(html))
  const path = join(import.meta.dirname, "../docs/mail.png")
  yield* Effect.promise(() => page.screenshot({ path, fullPage: true }))
})

await Effect.runPromise(Effect.scoped(draw))
