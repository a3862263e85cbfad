/** Keeps the questions of an engine in a table, `effect_epilogue_questions`, of the engine's database. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { isSameSecret, newToken } from "../../../internal/text/token.ts"
import { onceMade } from "../madeTable.ts"
import { sha256 } from "../sha256.ts"
import { type Place, QuestionEnd, type Questions, type QuestionState, StoredQuestion } from "./questions.ts"

interface Row {
  readonly question: string
  readonly ended: string | null
}

/** The nonce tells which of two processes has stored its end. */
const Ended = Schema.Struct({ nonce: Schema.String, end: QuestionEnd })

const questionJson = Schema.fromJsonString(Schema.toCodecJson(StoredQuestion))
const endedJson = Schema.fromJsonString(Schema.toCodecJson(Ended))

// stored values always encode, and what can't be decoded was stored by something else: a defect
const encode = <A>(schema: Schema.Codec<A, string>) => (value: A) => Effect.orDie(Schema.encodeEffect(schema)(value))
const decode = <A>(schema: Schema.Codec<A, string>) => (text: string) => Effect.orDie(Schema.decodeEffect(schema)(text))

/** @internal */
export const make = (client: SqlClient): Questions => {
  const sql = client.withoutTransforms()
  const table = sql("effect_epilogue_questions")

  const inTable = onceMade(sql`CREATE TABLE IF NOT EXISTS ${table} (
    id VARCHAR(22) PRIMARY KEY,
    token_hash VARCHAR(64) NOT NULL UNIQUE,
    place_hash VARCHAR(64) NOT NULL,
    question TEXT NOT NULL,
    ended TEXT,
    woken INTEGER NOT NULL,
    UNIQUE (place_hash, id)
  )`)
  const hashOf = ({ executionId, name, workflowName }: Place) =>
    sha256(JSON.stringify([workflowName, executionId, name]))

  const stateOf = (rows: ReadonlyArray<Row>): Effect.Effect<QuestionState | undefined> => {
    const [row] = rows
    if (row === undefined) return Effect.undefined
    return Effect.all({
      question: decode(questionJson)(row.question),
      end: row.ended === null ? Effect.undefined : Effect.map(decode(endedJson)(row.ended), ({ end }) => end)
    })
  }

  const read = (id: string) =>
    inTable(Effect.flatMap(sql<Row>`SELECT question, ended FROM ${table} WHERE id = ${id}`, stateOf))

  const insert = (question: StoredQuestion) =>
    Effect.gen(function*() {
      const row = {
        id: question.id,
        token_hash: yield* sha256(question.token),
        place_hash: yield* hashOf(question),
        question: yield* encode(questionJson)(question),
        woken: 1
      }
      yield* sql`INSERT INTO ${table} ${sql.insert(row)}`
    })

  const replace = (question: StoredQuestion) =>
    Effect.flatMap(
      encode(questionJson)(question),
      (json) => sql`UPDATE ${table} SET question = ${json} WHERE id = ${question.id} AND ended IS NULL`
    )

  return {
    read,
    ask: (question) =>
      Effect.gen(function*() {
        const known = yield* read(question.id)
        const { token, wake } = known?.question ?? question
        const asked = { ...question, token, wake }
        yield* known === undefined ? insert(asked) : replace(asked)
        return (yield* read(question.id)) ?? { question: asked, end: undefined }
      }),
    // by a hash: how long a database takes to find a token, or not, says nothing of the token
    find: (token) =>
      Effect.gen(function*() {
        const hash = yield* sha256(token)
        const found = yield* inTable(
          Effect.flatMap(sql<Row>`SELECT question, ended FROM ${table} WHERE token_hash = ${hash}`, stateOf)
        )
        return found !== undefined && isSameSecret(found.question.token, token) ? found : undefined
      }),
    open: Effect.map(
      inTable(
        Effect.flatMap(
          sql<Row>`SELECT question, ended FROM ${table} WHERE ended IS NULL`,
          Effect.forEach(({ question }) => decode(questionJson)(question))
        )
      ),
      (questions) => questions.toSorted((a, b) => a.askedAt - b.askedAt)
    ),
    end: (id, end) =>
      Effect.gen(function*() {
        const json = yield* encode(endedJson)({ nonce: newToken(), end })
        const woken = end._tag === "Decided" && end.token !== undefined ? 0 : 1
        yield* inTable(sql`UPDATE ${table} SET ended = ${json}, woken = ${woken} WHERE id = ${id} AND ended IS NULL`)
        const [row] = yield* sql<Row>`SELECT question, ended FROM ${table} WHERE id = ${id}`
        return row?.ended === json
      }),
    withdraw: (place) =>
      Effect.gen(function*() {
        const json = yield* encode(endedJson)({ nonce: newToken(), end: { _tag: "Withdrawn" } })
        const hash = yield* hashOf(place)
        yield* inTable(sql`UPDATE ${table} SET ended = ${json} WHERE place_hash = ${hash} AND ended IS NULL`)
      }),
    unwoken: inTable(
      Effect.flatMap(
        sql<Row>`SELECT question, ended FROM ${table} WHERE woken = 0`,
        Effect.forEach(({ question }) => decode(questionJson)(question))
      )
    ),
    woken: (id) => Effect.asVoid(sql`UPDATE ${table} SET woken = 1 WHERE id = ${id}`),
    taken: (id) =>
      Effect.gen(function*() {
        const known = yield* read(id)
        if (known === undefined) return
        const json = yield* encode(questionJson)({ ...known.question, checked: "taken" })
        yield* inTable(sql`UPDATE ${table} SET question = ${json} WHERE id = ${id}`)
      }),
    reopen: (id, wake, checked) =>
      Effect.gen(function*() {
        const known = yield* read(id)
        if (known === undefined) return
        const json = yield* encode(questionJson)({ ...known.question, wake, checked })
        yield* inTable(sql`UPDATE ${table} SET question = ${json}, ended = NULL, woken = 1 WHERE id = ${id}`)
      }),
    rearm: (id, wake) =>
      Effect.gen(function*() {
        const known = yield* read(id)
        if (known !== undefined) yield* replace({ ...known.question, wake })
      })
  }
}
