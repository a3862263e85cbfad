import { ConfigProvider, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import { decode } from "../../src/config/internal/file/decode.ts"
import { documentOf, issueLines, read } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const env = { HOST: "db.internal", EMPTY: "", NESTED: "${HOST}", BRACES: "a: {b, [c]} # d", A_B: "ab", A: "a" }

/** Returns the values of a list, those that are `Redacted` in angle brackets. */
const texts = (list: string, file?: string) =>
  Effect.map(documentOf(list, { env, ...(file === undefined ? {} : { file }) }), ({ params }) => {
    const values = params!["A"]!["a"]
    assert.ok(Array.isArray(values))
    return values.map((value) => Redacted.isRedacted(value) ? `<${Redacted.value(value)}>` : value)
  })

it.effect("variables in YAML are expanded, and $${ is a literal ${", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      yield* texts(`
params:
  A:
    a:
      - \${HOST}
      - tcp://\${HOST}:5432/\${A}_\${A_B}
      - "\${HOST}"
      - '\${BRACES}'
      - \${NESTED}
      - \${NO:-x}
      - \${NO:-}
      - \${EMPTY:-x}
      - \${NO:-a, [b]} c
      - $\${HOST}
      - $$\${HOST}
      - $HOST {A} $
      - |
        of \${HOST}
        two
`),
      [
        "<db.internal>",
        "<tcp://db.internal:5432/a_ab>",
        "<db.internal>",
        "<a: {b, [c]} # d>",
        "<${HOST}>",
        "<x>",
        "<>",
        "<x>",
        "<a, [b] c>",
        "${HOST}",
        "$${HOST}",
        "$HOST {A} $",
        "<of db.internal\ntwo\n>"
      ]
    )
    assert.deepEqual(yield* texts("params: { A: { a: [${HOST}, x${NO:-a, b}, $${HOST}, ${HOST}] } }"), [
      "<db.internal>",
      "<xa, b>",
      "${HOST}",
      "<db.internal>"
    ])
  }))

it.effect("variables in JSON are expanded, and $${ is a literal ${", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      yield* texts("{\"params\": {\"A\": {\"a\": [\"${HOST}\", \"$${HOST}\", \"${NO:-\\\"q\\\"}\", 1]}}}", "a.json"),
      ["<db.internal>", "${HOST}", "<\"q\">", 1]
    )
  }))

it.effect("malformed and unset variables are issues that show no default", () =>
  Effect.gen(function*() {
    const shape = "expected ${NAME} or ${NAME:-default} (write $${ for a literal ${)"
    assert.deepEqual(
      yield* issueLines(
        `params:
  A:
    a: "\${1A}"
    b: \${HOST
    c: "\${NO:-\${HOST}}"
    d: "\${s p:-s3cret}"
    e: \${NO} and \${EMPTY}
    f: "\${}"
`,
        { env }
      ),
      [
        `3:8 params.A.a: ${shape}, found "\${1A}"`,
        `4:8 params.A.b: ${shape}, found "\${HOST"`,
        `5:8 params.A.c: expected a default without a variable in it, found "\${NO:-…}"`,
        `6:8 params.A.d: ${shape}, found "\${s p:-…}"`,
        "7:8 params.A.e: expected the variable NO to be set, or ${NO:-default}, found no such variable, or an empty one",
        "7:8 params.A.e: expected the variable EMPTY to be set, or ${EMPTY:-default}, found no such variable, or an empty one",
        `8:8 params.A.f: ${shape}, found "\${}"`
      ]
    )
  }))

it.effect("an unset variable is the only issue at its position", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issueLines("defaults: { timeout: ${NO} }\nsteps: ${NO}\npipeline: ${NO}"), [
      "1:22 defaults.timeout: expected the variable NO to be set, or ${NO:-default}, found no such variable, or an empty one",
      "2:8 steps: expected the variable NO to be set, or ${NO:-default}, found no such variable, or an empty one",
      "3:11 pipeline: expected the variable NO to be set, or ${NO:-default}, found no such variable, or an empty one"
    ])
  }))

it.effect("variables in keys and references are issues", () =>
  Effect.gen(function*() {
    const { params, pipeline } = yield* documentOf("pipeline: ./$${x}.ts#a\nparams: { $${A}: { a: 1 } }", { env })
    assert.equal(pipeline, "./${x}.ts#a")
    assert.deepEqual(Object.keys(params!), ["${A}"])
    const reference = "expected a reference such as ./hooks.ts#name, without variables, found <redacted>"
    assert.deepEqual(
      yield* issueLines(
        "pipeline: ${A}\nparams: { ${A}: {} }\nhooks: { start: { use: ${A} } }\nsteps: { \"x${A}\": {} }",
        {
          env
        }
      ),
      [
        `1:11 pipeline: ${reference}`,
        "2:11 params[\"${A}\"]: expected a key without variables, which are expanded in values only, found the key \"${A}\"",
        `3:24 hooks.start.use: ${reference}`,
        "4:10 steps[\"x${A}\"]: expected a key without variables, which are expanded in values only, found the key \"x${A}\""
      ]
    )
  }))

it.effect("issues and documents never show the value of a variable", () =>
  Effect.gen(function*() {
    const secret = { S: "s3cret" }
    const decoded = yield* read("runName: ${S}\nparams: { A: { a: ${S}, b: \"x ${S}\" } }", { env: secret })
    assert.ok(!inspect(decoded.document, { depth: 10 }).includes("s3cret"))
    assert.ok(!JSON.stringify(decoded.document).includes("s3cret"))
    const everywhere = [
      "hooks: ${S}",
      "hooks: { failure: [${S}, { use: ${S}, retry: ${S}, timeout: ${S}, required: ${S}, when: ${S} }] }",
      "inherit: ${S}",
      "steps: { a: ${S}, b: { params: { A: ${S} } } }",
      "alerter: { slack: { webhookUrl: ${S}, timeout: ${S} } }",
      "alerter: ${S}"
    ]
    for (const text of everywhere) {
      const error = yield* Effect.flip(read(text, { env: secret }))
      assert.ok(!inspect(error, { depth: 10 }).includes("s3cret"), text)
      assert.match(error.message, /found <redacted>/)
    }
  }))

it.effect("variables are read from the ConfigProvider, and its errors are not shown", () =>
  Effect.gen(function*() {
    const from = (provider: ConfigProvider.ConfigProvider) =>
      Effect.provideService(
        decode("params: { A: { a: ${dbHost} } }", "a.yaml"),
        ConfigProvider.ConfigProvider,
        provider
      )
    const { document } = yield* from(ConfigProvider.constantCase(ConfigProvider.fromEnv({ env: { DB_HOST: "x" } })))
    const value = document.params?.["A"]?.["a"]
    assert.ok(Redacted.isRedacted(value) && Redacted.value(value) === "x")
    const failing = ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "s3cret" })))
    const error = yield* Effect.flip(from(failing))
    assert.equal(
      error.message,
      "a.yaml:1:19 params.A.a: expected a readable variable dbHost, found an error of the ConfigProvider"
    )
  }))
