/**
 * Checks that the file format, the JSON Schema and `docs/channels.md` contain every channel, with the variables that it reads.
 */
import { ConfigProvider, Effect } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import * as Alerters from "../../src/alerters/index.ts"
import { channels } from "../../src/alerters/internal/channels.ts"
import * as Approvers from "../../src/approvers/index.ts"
import { jsonSchema } from "../../src/config/Document.ts"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const docs = join(import.meta.dirname, "..", "..", "docs")
const page = fs.readFileSync(join(docs, "channels.md"), "utf8")
const approvals = fs.readFileSync(join(docs, "approvals.md"), "utf8")

const rowOf = (name: string, text = page): string =>
  text.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}`)) ?? ""

/** Returns the layers that the modules of an area export, as in `Slack.layerBot`, without those named `…Config`. */
const layersIn = (modules: object): ReadonlyArray<readonly [module: string, layer: string]> =>
  Object.entries(modules).flatMap(([module, exports]) =>
    Object.keys(exports as object)
      .filter((name) => name.startsWith("layer") && !name.endsWith("Config"))
      .map((layer) => [module, layer] as const)
  )

/** Returns the key of a layer in the config file: `slackBot` for `Slack.layerBot`. */
const keyOf = ([module, layer]: readonly [string, string]): string =>
  `${module[0]!.toLowerCase()}${module.slice(1)}${layer.slice("layer".length)}`

const layers = layersIn(Alerters)

// oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
const described = (jsonSchema() as any).$defs.Alerter.properties

/** Returns the names of variables in back quotes in a text. */
const variablesIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name!)

it.effect("the file format has a key for every channel, for none, and for nothing else", () =>
  Effect.sync(() => {
    assert.ok(layers.length >= 12)
    assert.deepEqual(Object.keys(channels).toSorted(), [...layers.map(keyOf), "none"].toSorted())
  }))

for (const [module, layer] of layers) {
  const key = keyOf([module, layer])

  it.effect(`${key}: the file format, the JSON Schema and the page contain the channel`, () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* documentOf(`alerter: { ${key}: true }`), { alerter: { [key]: true } })
      const [issue = ""] = yield* issueLines(`alerter: { ${key}: 1 }`)
      assert.ok(issue.includes(`alerter.${key}: expected true, for options from the environment, or a map`), issue)
      assert.equal(described[key].description, channels[key as keyof typeof channels].description)
      assert.notEqual(rowOf(`${module}.${layer}`), "", `docs/channels.md has no row of ${module}.${layer}`)
    }))

  const valid: Readonly<Record<string, string>> = {
    ALERT_EMAIL_FROM: "a@b.c",
    ALERT_EMAIL_TO: "a@b.c",
    APPRISE_KEY: "jobs",
    GITHUB_REPOSITORY: "acme/jobs",
    MATRIX_ROOM: "!r:example.com",
    NTFY_TOPIC: "topic",
    PUSHOVER_TOKEN: "t0ken",
    PUSHOVER_USER: "us3r",
    SENTRY_DSN: "https://key@o0.ingest.sentry.io/0",
    SENTRY_ENVIRONMENT: "staging",
    SMTP_URL: "smtp://h",
    TWILIO_ACCOUNT_SID: "AC1",
    TWILIO_API_KEY: "SK1",
    TWILIO_TO: "+15558675310",
    ZULIP_EMAIL: "bot@example.com"
  }

  it.live(`${key}: true reads the variables that the JSON Schema and the page name, and no others`, () =>
    Effect.gen(function*() {
      const asked = new Set<string>()
      const variables = variablesIn(described[key].description)
      const env = Object.fromEntries(variables.map((name) => [name, valid[name] ?? "https://example.com"]))
      const source = ConfigProvider.fromEnv({ env })
      const provider = ConfigProvider.make((path) => {
        asked.add(path.join("_"))
        return source.load(path)
      })
      yield* Effect.provide(channels[key as keyof typeof channels].environment, ConfigProvider.layer(provider))
      assert.deepEqual([...asked].toSorted(), variables.toSorted())
      assert.deepEqual(variablesIn(rowOf(`${module}.${layer}`)).toSorted(), variables.toSorted())
    }))
}

it.effect("docs/approvals.md has a row for every approver", () =>
  Effect.sync(() => {
    const approvers = layersIn(Approvers)
    assert.ok(approvers.length >= 5)
    for (const [module] of approvers) assert.notEqual(rowOf(`${module}.layer`, approvals), "", module)
  }))
