/** The readers of text that others wrote, and pieces of which texts for each of them are made. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { sinceOf } from "../../src/cli/records/since.ts"
import { Approval, Durable } from "../../src/durable/index.ts"
import { Report } from "../../src/report/index.ts"
import { client } from "../durable/support/sqliteFile.ts"
import { readArbitrary } from "./configFile.ts"
import { assertPrintable, pieces as printedPieces } from "./printed.ts"
import { readAll, tempFolder } from "./record.ts"

/** A reader of one format. */
export interface Reader {
  /** Whatever means something in the format, and what a lenient reader could take for it. */
  readonly pieces: ReadonlyArray<string>
  /** A text that is valid. */
  readonly valid: string
  /** Reads a text. Dies where the reader neither accepts it nor fails with the error of its type. */
  readonly read: (text: string) => Effect.Effect<unknown>
}

const spaces = [" ", "\t", "\n", "\r", "\r\n", "\u000b", "\u000c", "\u00a0", "\u2028", "\ufeff"]
const odd = ["\u0000", "\u001b[31m", "\u0085", "\u202e", "\ud83d", "🔥", "é", "漢"]

const variables = ["${", "${A", "${A:-", "${A}", "${A:-b}", "$${", "$", "{", "}", ":-"]

const validYaml = `# every night
pipeline: ./etl.ts#pipeline
runName: nightly \${A:-dev}
hooks: { start: ./hooks.ts#begin }
stepHooks: { failure: [./hooks.ts#page, { use: epilogue#alerterFailure, when: { tag: HttpError } }] }
defaults: &defaults { retry: 2, timeout: 5 seconds }
steps:
  load: *defaults
alerter: { fanOut: [{ console: true }], minSeverity: warning }
`

const yaml: Reader = {
  valid: validYaml,
  pieces: [
    "[]{},:?-#&*!|>'\"%@`\\~a0".split(""),
    [": ", "- ", "? ", "\n  ", "\n    ", " #", "|2-\n", "<<: ", "---\n", "...\n", "%YAML 1.2\n"],
    ["&a ", "*a", "!!str ", "pipeline: ", "steps:", "timeout: ", "'5 seconds'", "1e999", "0x1F", "__proto__"],
    variables,
    spaces,
    odd
  ].flat(),
  read: (text) => readArbitrary(text, { env: { A: "x" } })
}

const json: Reader = {
  valid: JSON.stringify(
    { pipeline: "./etl.ts#pipeline", steps: { load: { retry: 2, timeout: "5 seconds" } } },
    null,
    2
  ),
  pieces: [
    "[]{},:\"\\/bfnrtu01.-+eE".split(""),
    ["\\u0041", "\\ud83d", "true", "null", "\"a\":", "\"steps\":{", "1e999", "\"__proto__\":"],
    variables,
    spaces,
    odd
  ].flat(),
  read: (text) => readArbitrary(text, { file: "a.json", env: { A: "x" } })
}

/** Durations in config files, and of `--since`. */
const duration: Reader = {
  valid: "1.5 minutes",
  pieces: [..."0159.eE+-:TZzPsmhdw".split(""), "second", "minutes", "milli", "days", "2026-11-23", ...spaces],
  read: (text) =>
    Effect.andThen(
      Effect.sync(() => sinceOf(text, 0)),
      readArbitrary(JSON.stringify({ defaults: { timeout: text.toWellFormed() } }), { file: "a.json" })
    )
}

/** Paths of modules, addresses and lists of addresses in config files. */
const reference: Reader = {
  valid: "https://example.com/a.ts#b",
  pieces: [
    "@/.#%?:-_~,;<>\"".split(""),
    "a",
    "é",
    "./",
    "https://",
    "smtps://",
    "file://",
    "%2f",
    "[::1]",
    spaces
  ].flat(),
  read: (text) => {
    const value = text.toWellFormed()
    return readArbitrary(
      JSON.stringify({
        pipeline: value,
        hooks: { failure: [value] },
        alerter: {
          fanOut: [
            { email: { server: value, from: value, to: value } },
            { ntfy: { server: value, topic: value } },
            { slack: { webhookUrl: value } },
            { console: true, dedupe: { within: value, persist: value } }
          ],
          minSeverity: value
        }
      }),
      { file: "a.json" }
    )
  }
}

/** SQLite's client, which runs texts with one statement. */
const sql: Effect.Effect<Reader, never, Scope.Scope> = Effect.map(
  Effect.orDie(client()),
  (sql) => ({
    valid: "SELECT 1 AS a, 'b' AS \"c\" -- d\n/* e */;",
    pieces: [
      "/*-;'\"`[](),.=?".split(""),
      ["--", "/*", "*/", "--\n", "/**/", ":a", "x'", "SELECT ", "1", " AS a", "VALUES", "NULL"],
      spaces,
      odd
    ].flat(),
    read: (text) =>
      Effect.andThen(
        Effect.ignore(sql.unsafe(text)),
        Effect.map(Effect.orDie(sql`SELECT 1 AS one`), (rows) => assert.deepEqual(rows, [{ one: 1 }]))
      )
  })
)

/** Tokens of approvals, on an engine in which nothing was asked. */
const token: Reader = {
  valid: Buffer.from(JSON.stringify({ workflowName: "nightly", executionId: "1", deferredName: "a" })).toString(
    "base64url"
  ),
  pieces: [
    [..."AaZz09-_=+/.:", "eyJ", "e30", "W10", Buffer.from("{\"w\":\"a\"}").toString("base64url")],
    spaces,
    odd
  ].flat(),
  read: (text) =>
    Effect.flip(Approval.answer(text, { approve: true, by: { id: "ann", name: "Ann" } })).pipe(
      Effect.tap(({ _tag }) => Effect.sync(() => assert.equal(_tag, "InvalidAnswer"))),
      Effect.provide(Durable.layerMemory),
      Effect.orDie
    )
}

const header = `{"_tag":"Record","version":2,"pipelineName":"nightly","runId":"r","runName":"nightly-7","at":0}\n`

/** Records of runs, with a header before the text. */
const record: Effect.Effect<Reader, never, Scope.Scope> = Effect.map(tempFolder, (folder) => {
  const file = path.join(folder, "20261123T180000000Z.nightly.aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa.jsonl")
  return {
    valid: [
      { _tag: "RunStarted", at: 0 },
      { _tag: "StepStarted", at: 0, stepName: "a", stepPath: ["a"], index: 0 },
      { _tag: "StepStarted", at: 1, stepName: "b", stepPath: ["a", "b"], index: 1, parent: 0 },
      {
        _tag: "StepEnded",
        at: 2,
        stepName: "b",
        stepPath: ["a", "b"],
        index: 1,
        parent: 0,
        outcome: "failure",
        cause: "no"
      },
      { _tag: "RunEnded", at: 3, outcome: "failure", cause: "no", durationMillis: 3, steps: 2, hookFailures: 0 }
    ].map((event) => `${JSON.stringify(event)}\n`).join(""),
    pieces: [
      json.pieces,
      header,
      "{\"_tag\":\"RunStarted\",\"at\":0}\n",
      "{\"_tag\":\"StepStarted\",\"at\":0,\"stepName\":\"a\",\"stepPath\":[\"a\"],\"index\":0}\n",
      "{\"_tag\":\"StepEnded\",\"at\":1,\"stepName\":\"a\",\"stepPath\":[\"a\"],\"index\":0,\"outcome\":\"failure\",\"cause\":\"",
      "\",\"attempts\":1,\"durationMillis\":1}\n",
      "{\"_tag\":\"Lost\",\"events\":1}\n",
      "{\"_tag\":\"Record\",\"version\":",
      "\"at\":"
    ].flat(),
    read: (text) =>
      Effect.gen(function*() {
        fs.writeFileSync(file, header + text)
        const read = yield* Effect.result(readAll(file))
        if (read._tag === "Failure") assert.equal(read.failure._tag, "RecordError")
        else {
          const { events } = read.success
          assert.ok(Report.html(events).startsWith("<!DOCTYPE html>"))
          assert.ok(Report.mermaid(events).startsWith("gantt"))
        }
        assert.equal((yield* Effect.orDie(Report.list({ folder }))).length, 1)
      })
  }
})

/** Prints text, and dies where a terminal, a log or a channel would obey anything. */
const terminal: Reader = {
  valid: "✗ load (2.1 s, 2 attempts): no such row  rows=7 👩‍🚀 می‌خواهم",
  pieces: [printedPieces, spaces, odd].flat(),
  read: (text) => Effect.sync(() => assertPrintable(text))
}

/** All readers, by the names of their formats. */
export const readers: Effect.Effect<Readonly<Record<string, Reader>>, never, Scope.Scope> = Effect.gen(function*() {
  return { yaml, json, duration, reference, terminal, token, sql: yield* sql, record: yield* record }
})

const small = Schema.Literals(Array.from({ length: 12 }, (_, i) => i))

/** The input of {@link textOf}: pieces of the reader's format, or edits of its valid text, and how often to repeat it all. */
export const inputFor = ({ pieces }: Reader) => {
  const Piece = Schema.Literals(pieces)
  const Edit = Schema.Struct({
    at: Schema.Array(small),
    remove: Schema.Literals([0, 1, 2, 7, 40]),
    insert: Schema.Union([Piece, Schema.Literals([""])])
  })
  return Schema.Struct({
    pieces: Schema.Array(Schema.Union([Piece, Piece, Piece, Schema.String])),
    edits: Schema.optionalKey(Schema.Array(Edit)),
    times: Schema.Literals([1, 1, 30])
  })
}

/** Makes a text of an input. */
export const textOf = ({ valid }: Reader, { edits, pieces, times }: ReturnType<typeof inputFor>["Type"]): string =>
  (edits === undefined
    ? pieces.join("")
    : edits.reduce((text, { at, insert, remove }) => {
      const start = at.reduce<number>((sum, digit) => sum * 12 + digit, 0) % (text.length + 1)
      return text.slice(0, start) + insert + text.slice(start + remove)
    }, valid)).repeat(times)
