import { expect, test } from "bun:test"
import { Effect } from "effect"
import { makeIt } from "../support/it.ts"
import { otlpReceiver, treeOf } from "../support/otlp.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { runWith } from "./support.ts"

const it = makeIt((name, run) => test(name, run, 60_000))

for (const runtime of someRuntimes()) {
  it.live(`the script sends a trace and metrics, and prints the metrics, on ${runtime}`, () =>
    Effect.gen(function*() {
      const receiver = yield* otlpReceiver
      const { code, stderr, stdout } = yield* Effect.promise(() =>
        runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, runtime, "observability")
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(receiver.paths()).toEqual(["/v1/logs", "/v1/metrics", "/v1/traces"])

      // spans of the run, its steps, the bodies of these, and the hooks
      const spans = receiver.spans()
      expect(treeOf(spans)).toEqual([
        "nightly",
        "  extract",
        "    GET /numbers (failed)",
        "    GET /numbers",
        "  transform",
        "  load",
        "    say how many",
        "  publish (failed)",
        "    AlerterHooks.failure",
        "  AlerterHooks.success"
      ])
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
      const extract = spans.find(({ name }) => name === "extract")!
      expect(extract.attributes).toMatchObject({
        "cicd.pipeline.name": "nightly",
        "cicd.pipeline.task.name": "extract",
        "cicd.pipeline.task.run.result": "success"
      })
      expect(Number(extract.attributes["epilogue.attempt"])).toBe(2)

      const steps = receiver.metric("epilogue_steps_total")!
      expect(Object.fromEntries(steps.points.map(({ attributes: { outcome, step }, value }) => [
        `${step} ${outcome}`,
        value
      ]))).toEqual({ "extract success": 1, "transform success": 1, "load success": 1, "publish failure": 1 })
      expect(receiver.metric("epilogue_step_duration_seconds")!.unit).toBe("s")

      expect(stdout).toContain(`epilogue_steps_total{pipeline="nightly",step="publish",outcome="failure"} 1`)
      expect(stdout).toContain(`epilogue_step_retries_total{pipeline="nightly",step="extract"} 1`)
      expect(stdout).toContain(`epilogue_alerts_delivered_total{channel="console"} 2`)
      expect(stdout).toContain(`epilogue_runs_total{pipeline="nightly",outcome="success"} 1`)
    }))
}

it.live("the script succeeds without an OTLP receiver", () =>
  Effect.gen(function*() {
    const { url } = yield* Effect.scoped(otlpReceiver)
    const { code, stdout } = yield* Effect.promise(() =>
      runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, "bun", "observability")
    )
    expect(code).toBe(0)
    expect(stdout).toContain("epilogue_steps_total")
  }))
