/**
 * Feeds arbitrary input to all that reads or renders what others wrote, for a bounded time, and prints the seed. Ends
 * with 1 where a reader dies of an input, with the smallest such input and how to repeat it.
 *
 *     bun scripts/fuzz.ts [--seconds=N] [--seed=SEED] [NAME…]
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type * as Schema from "effect/Schema"
import * as TestConsole from "effect/testing/TestConsole"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Alerter } from "../src/index.ts"
import { stories, tell } from "../test/delivery/stories.ts"
import { temporaryFolder } from "../test/durable/support/engine.ts"
import { History } from "../test/durable/support/model/histories.ts"
import { play } from "../test/durable/support/model/world.ts"
import { alertOf, AnyAlert } from "../test/support/anyAlert.ts"
import { channels } from "../test/support/channels.ts"
import { inputFor, readers, textOf } from "../test/support/readers.ts"

interface Fuzzer {
  /** Checks so many inputs. Returns what is wrong, or `undefined`. */
  readonly check: (seed: string, runs: number) => Effect.Effect<string | undefined>
}

const fuzzer = <S extends Schema.Constraint>(
  schema: S,
  property: (input: S["Type"]) => Effect.Effect<unknown, unknown>
): Fuzzer => {
  const inputs = Arbitrary.schema(schema)
  return {
    check: (seed, runs) =>
      Effect.map(
        // the sandbox makes a failure of a defect: only failures are shrunk
        Arbitrary.checkEffect(
          inputs,
          (input) => Effect.as(Effect.sandbox(Effect.suspend(() => property(input))), true),
          {
            runs,
            seed
          }
        ),
        Arbitrary.formatCheckFailure
      )
  }
}

/** Asserts that a channel has sent JSON, lines of JSON, or the encoded fields of a form. */
const assertSent = (text: string): void => {
  if (!/^\w+=/.test(text)) { for (const line of text.trimEnd().split("\n")) JSON.parse(line) }
  else for (const field of text.split("&")) assert.match(field, /^\w+=[\w%.*+~!'()-]*$/)
}

const fuzzers = Effect.gen(function*() {
  const found: Record<string, Fuzzer> = {}
  for (const [name, reader] of Object.entries(yield* readers)) {
    found[name] = fuzzer(inputFor(reader), (input) => reader.read(textOf(reader, input)))
  }
  const { Email: _, ...fast } = yield* channels
  for (const [name, { layer, sent }] of Object.entries(fast)) {
    found[`alerts by ${name}`] = fuzzer(AnyAlert, (input) =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alertOf(input))).pipe(Effect.provide(layer))
        const texts = yield* sent
        assert.ok(texts.length > 0)
        if (name !== "Console") texts.forEach(assertSent)
      }).pipe(Effect.provide(TestConsole.layer)))
  }
  found["stories of policies and channels"] = fuzzer(stories(80), tell)
  found["histories of durable runs"] = fuzzer(History, (history) =>
    Effect.gen(function*() {
      const problems = yield* play(join(yield* temporaryFolder, "history.db"), history)
      assert.deepEqual(problems, [])
    }).pipe(Effect.scoped))
  return found
})

/** So many inputs are checked between two looks at the clock. Later inputs of a round are larger. */
const round = 10

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "300" }, seed: { type: "string", default: crypto.randomUUID() } }
})

const main = Effect.gen(function*() {
  const { seed } = values
  console.log(`seed: ${seed}`)
  const all = Object.entries(yield* fuzzers).filter(([name]) => positionals.length === 0 || positionals.includes(name))
  let failed = 0
  for (const [name, { check }] of all) {
    const since = performance.now()
    const millis = Number(values.seconds) * 1000 / all.length
    let problem: string | undefined
    let rounds = 0
    do {
      // the first round has the seed itself, so that any round can be repeated
      const own = rounds === 0 ? seed : `${seed}.${rounds}`
      problem = yield* check(own, round)
      rounds++
      if (problem !== undefined) {
        problem += `\nrepeat: bun scripts/fuzz.ts --seconds=1 --seed=${own} ${JSON.stringify(name)}`
      }
    } while (problem === undefined && performance.now() - since < millis)
    const took = ((performance.now() - since) / 1000).toFixed(1)
    console.log(`${problem === undefined ? "✓" : "✗"} ${name}: ${rounds * round} inputs in ${took} s`)
    if (problem !== undefined) {
      failed++
      console.log(problem)
    }
  }
  console.log(` ${all.length - failed} pass\n ${failed} fail`)
  if (failed > 0 || all.length === 0) process.exitCode = 1
})

await Effect.runPromise(main.pipe(Effect.scoped, Effect.provide(Logger.layer([]))))
