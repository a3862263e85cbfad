/** Tests the texts of issues and comments on GitHub. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { Alert } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { sample } from "../support/channelContract.ts"
import { alert, at, marker, started } from "../support/gitHubIssues.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const bodyOf = (alert: Alert) =>
  Effect.gen(function*() {
    const { issues, post } = yield* started()
    yield* post(alert.with({ dedupeKey: undefined, severity: "error", at }))
    const { body, title } = issues[0]!
    return { body, title }
  })

/** Returns what GitHub reads as text of a body: no code. */
const prose = (body: string): string => body.replace(/^(`{3,})\n[^]*?\n\1$/gm, "").replace(/`[^`\n]*`/g, "")

it.live("texts mention nobody and refer to no issue", () =>
  Effect.gen(function*() {
    const foreign = "thanks @ada and @acme/data-team, fixes #12, GH-34 and acme/etl#56, cost $5 or $6, <b>x</b> [y](z)"
    const url = "https://github.com/acme/etl/issues/7"
    const { body, title } = yield* bodyOf(sample.with({
      title: foreign,
      body: `${foreign}, see ${url} and https://status.example.com/a_b, or https://github.com/acme/etl/actions/runs/1`,
      fields: { "by @bob": foreign, pull: "https://ghe.example.com/acme/etl/pull/8" },
      detail: "```\n@carol #99\n````",
      url: "https://ci.example/runs/1?q=(a_b)",
      actions: [{ label: "Ask @dan", url: "https://wiki.example/load" }]
    }))
    for (const text of [title, prose(body)]) {
      assert.doesNotMatch(text, /@[\w-]/)
      assert.doesNotMatch(text, /#\d|GH-\d/i)
    }
    assert.match(
      body,
      /^thanks @\u200bada and @\u200bacme\/data-team, fixes #\u200b12, GH-\u200b34 and acme\/etl#\u200b56/
    )
    assert.match(body, /cost &dollar;5 or &dollar;6, &lt;b&gt;x&lt;\/b&gt; \\\[y\\\]\\\(z\\\)/)
    assert.ok(
      body.includes(`see \`${url}\` and [https://status.example.com/a\\_b](https://status.example.com/a_b)`),
      body
    )
    assert.ok(body.includes("](https://github.com/acme/etl/actions/runs/1)"), body)
    assert.ok(body.includes("- **pull:** `https://ghe.example.com/acme/etl/pull/8`"), body)
    assert.ok(body.includes("\n`````\n```\n@carol #99\n````\n`````\n"), body)
    assert.ok(
      body.includes("[Open](https://ci.example/runs/1?q=%28a_b%29) · [Ask @\u200bdan](https://wiki.example/load)"),
      body
    )
  }))

const assertWithinLimits = ({ body, title }: { readonly body: string; readonly title: string }) => {
  assert.ok(title !== "" && title.length <= 256, `${title.length}`)
  assert.ok(body !== "" && body.length <= 65_536, `${body.length}`)
  for (const text of [body, title]) {
    assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
  }
  assert.doesNotMatch(title, /@[\w-]|#\d/)
}

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { issues, post } = yield* started()
    const huge = alert.with({ detail: hugeDetail(), title: "🔥".repeat(2000) })
    yield* post(huge)
    yield* post(huge)
    const { body, comments, title } = issues[0]!
    assertWithinLimits({ body, title })
    assertWithinLimits({ body: comments[0]!, title })
    assert.match(body, marker)
    assert.ok(body.length > 50_000, `${body.length}`)
    assert.match(
      body,
      /^Error: no such bucket\n\n- \*\*pipeline:\*\* nightly\n[^]*\n\n```\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n```\n\n2026/
    )
  }))

it.live("any alert becomes an issue within the limits", () =>
  Effect.gen(function*() {
    const { issues, post } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.gen(function*() {
        yield* post(alertOf(input).with({ severity: "error" }))
        const issue = issues.at(-1)!
        assertWithinLimits(issue)
        assert.ok(issue.body.endsWith("2026-11-23 13:40:12 Europe/Berlin \\(UTC+01:00\\)"))
      }), 60)
  }))
