import { Config, type Context, Effect, type Layer, Redacted } from "effect"
import { Pipeline, type RunEvent, Step } from "effect-epilogue"
import {
  BetterStack,
  Cronitor,
  Healthchecks,
  layerAll,
  type MonitorError,
  Ping,
  Sentry,
  UptimeKuma
} from "effect-epilogue/monitors"
import { describe, expect, test } from "tstyche"

const url = Redacted.make("https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")
const nightly = Pipeline.make("nightly", Step.make("load", Effect.fail("x" as const)))

describe("layers", () => {
  test("provide and require nothing, and fail with the mistakes in their options", () => {
    expect(Healthchecks.layer({ url })).type.toBe<Layer.Layer<never, MonitorError>>()
    expect(Ping.layer({ success: url, method: "POST" })).type.toBe<Layer.Layer<never, MonitorError>>()
    expect(Effect.provide(nightly, BetterStack.layer({ url }))).type.toBe<
      Effect.Effect<never, "x" | MonitorError, never>
    >()
  })

  test("from a config can fail with a ConfigError, too", () => {
    expect(Sentry.layerConfig()).type.toBe<Layer.Layer<never, Config.ConfigError | MonitorError>>()
    expect(UptimeKuma.layerConfig({ url: Config.Redacted("KUMA"), every: Config.succeed("1 minute" as const) })).type
      .toBe<Layer.Layer<never, Config.ConfigError | MonitorError>>()
  })

  test("combine to one with the errors and the requirements of all", () => {
    expect(layerAll(Healthchecks.layer({ url }), Cronitor.layerConfig())).type.toBe<
      Layer.Layer<never, MonitorError | Config.ConfigError>
    >()
    interface Service extends Context.ServiceClass<Service, "Service", number> {}
    const needs = null as unknown as Layer.Layer<never, "boom", Service>
    expect(layerAll(needs, UptimeKuma.layer({ url }))).type.toBe<Layer.Layer<never, "boom" | MonitorError, Service>>()
  })
})

describe("options", () => {
  test("take addresses as Redacted only", () => {
    expect(Healthchecks.layer).type.not.toBeCallableWith({ url: "https://hc-ping.com/5bf66975" })
    expect(Ping.layer).type.not.toBeCallableWith({ failure: "https://example.com" })
    expect(Sentry.layer).type.not.toBeCallableWith({ dsn: "https://key@o0.ingest.sentry.io/0" })
  })

  test("choose runs by their first event, whose type is inferred", () => {
    Healthchecks.layer({
      url,
      pipeline: ["nightly", "weekly"],
      when: (run) => {
        expect(run).type.toBe<RunEvent.RunStarted>()
        return run.annotations["region"] === "eu"
      }
    })
  })

  test("of an interruption are words, but those of Ping an address", () => {
    expect(BetterStack.layer).type.toBeCallableWith({ url, interrupt: "none" as const })
    expect(BetterStack.layer).type.not.toBeCallableWith({ url, interrupt: "ignore" as const })
    expect(Ping.layer).type.toBeCallableWith({ interrupt: url })
    expect(Ping.layer).type.not.toBeCallableWith({ success: url, interrupt: "none" as const })
  })

  test("of a schedule are a crontab or an interval", () => {
    const dsn = Redacted.make("https://key@o0.ingest.sentry.io/0")
    expect(Sentry.layer).type.toBeCallableWith({ dsn, schedule: { value: 2, unit: "hour" as const } })
    expect(Sentry.layer).type.not.toBeCallableWith({ dsn, schedule: { value: 2, unit: "second" as const } })
  })

  test("that a service can't use are refused", () => {
    expect(UptimeKuma.layer).type.not.toBeCallableWith({ url, logs: 10 })
    expect(Cronitor.layer).type.not.toBeCallableWith({ url })
  })
})
