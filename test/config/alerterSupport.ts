/** Decodes and builds alerters as they stand in a config file. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, DateTime, Effect, Layer, Schema, SchemaIssue, type Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { channels } from "../../src/alerters/internal/channels.ts"
import { build } from "../../src/config/internal/apply/alerter.ts"
import { AlerterSpec } from "../../src/config/internal/schema/alerter.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { sample } from "../support/channelContract.ts"
import { inner } from "../support/policies.ts"

/** An alert with a time. */
export const alert = sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12.345Z") })

/** The options that a channel of mail requires. */
export const smtp = { from: "a@example.com", to: "b@example.com" }

export type Layers = Readonly<Record<string, Layer.Layer<Alerter>>>

const format = SchemaIssue.makeFormatterStandardSchemaV1()

export const decode = (input: unknown, reportInput = false) =>
  Schema.decodeUnknownEffect(AlerterSpec)(input, { errors: "all", onExcessProperty: "error", reportInput })

/** Returns the issues of an alerter, as in `slack.webhookUrl: Expected an address`. */
export const issues = (input: unknown, reportInput = false): Effect.Effect<ReadonlyArray<string>> =>
  Effect.match(decode(input, reportInput), {
    onSuccess: () => [],
    onFailure: ({ issue }) =>
      format(issue).issues.map(({ message, path = [] }) => `${path.map(String).join(".")}: ${message}`)
  })

export const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "alerter-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Returns the Layer of an alerter, in which the reference `#name` is one of these layers. */
export const layerOf = (
  input: unknown,
  layers: Layers = {},
  options: { readonly folder?: string; readonly name?: string } = {}
) =>
  Effect.gen(function*() {
    const spec = yield* Effect.orDie(decode(input))
    const loadLayer = (reference: string) => {
      const layer = layers[reference.slice(1)]
      return layer === undefined ? Effect.fail(`no ${reference}`) : Effect.succeed(layer)
    }
    const layer = yield* build(spec, { folder: "/nowhere", ...options, loadLayer })
    return Layer.provide(layer, files)
  }).pipe(Effect.provide(files))

export type Post = (alert: Alert | string) => Effect.Effect<void, unknown>

/** Returns the post of an alerter, which works while the scope is open. Errors of building it are defects. */
export const open = (...args: Parameters<typeof layerOf>): Effect.Effect<Post, never, Scope.Scope> =>
  layerOf(...args).pipe(
    Effect.flatMap((layer) => Layer.build(Layer.fresh(layer))),
    Effect.map((services) => Context.get(services, Alerter).post),
    Effect.orDie
  )

/** Returns the keys of each channel in the JSON Schema. */
export const keysInSchema = (): Readonly<Record<string, ReadonlyArray<string>>> => {
  const { definitions } = Schema.toJsonSchemaDocument(AlerterSpec, { onExcessProperty: "error" })
  // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
  const { properties } = definitions["Alerter"] as any
  return Object.fromEntries(
    Object.keys(channels).map((name) => [
      name,
      // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
      (properties[name].anyOf ?? []).flatMap((one: any) => Object.keys(one.properties ?? {}))
    ])
  )
}

export const broken = (title: string, step = "load") =>
  Alert.make({
    title,
    severity: "error",
    source: { pipeline: "nightly", runId: "r", runName: "r", stepPath: [step] },
    tags: ["HttpError"]
  })

export const fine = (title: string) => broken(title).with({ severity: "success", tags: [] })

export const all = (post: Post, ...alerts: ReadonlyArray<Alert | string>) =>
  Effect.forEach(alerts, (alert) => post(alert))

/** Returns the alerts that arrive when these are posted through policies around `#in`. */
export const opened = (policies: Readonly<Record<string, unknown>>, options?: Parameters<typeof layerOf>[2]) =>
  Effect.gen(function*() {
    const channel = yield* inner()
    const post = yield* open({ use: "#in", ...policies }, { in: channel.layer }, options)
    return { ...channel, post }
  })
