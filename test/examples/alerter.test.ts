import { expect, test } from "bun:test"
import { Effect } from "effect"
import { Alerter } from "effect-epilogue"
import { TestConsole } from "effect/testing"
import { byHand, program, standard } from "../../examples/alerter.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { run } from "./support.ts"

const it = makeIt(test)

it.effect("the hooks post to the alerter that the environment provides", () =>
  Effect.gen(function*() {
    const posted: Array<string> = []
    const toList = Alerter.layer(({ severity, title }) => Effect.sync(() => posted.push(`${severity}: ${title}`)))
    yield* Effect.exit(byHand).pipe(Effect.provide(toList))
    yield* Effect.exit(standard).pipe(Effect.provide(toList))
    expect(posted).toEqual(["info: upload just failed!", "error: upload failed"])
  }))

it.effect("the standard hooks post the cause, and the attempt only after a retry", () =>
  Effect.gen(function*() {
    yield* Effect.provide(program, Alerter.layerConsole)
    const [first, second, third, ...more] = yield* TestConsole.logLines
    expect(more).toEqual([])
    // the test clock starts at the epoch
    expect(first).toBe("i INFO upload just failed! 1970-01-01T00:00:00.000Z")
    expect(second).toContain("✗ ERROR upload failed 1970-01-01T00:00:00.000Z")
    expect(second).not.toContain("attempt")
    expect(second).toContain("\n  no such bucket\n")
    expect(third).toContain("✓ SUCCESS tidy up succeeded 1970-01-01T00:00:00.000Z")
  }))

test.each(someRuntimes())("the script prints its three alerts, on %s", async (runtime) => {
  const { code, stderr, stdout } = await run(runtime, "alerter")
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout.match(/^. \w+ .*(?= \d{4}-)/gm)).toEqual([
    "i INFO upload just failed!",
    "✗ ERROR upload failed",
    "✓ SUCCESS tidy up succeeded"
  ])
}, 60_000)
