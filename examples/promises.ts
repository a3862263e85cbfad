/**
 * Steps of functions that are there already, and return promises.
 *
 *     bun examples/promises.ts
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import { setTimeout } from "node:timers/promises"

// the code that is there already

class Refused extends Error {
  override readonly name = "Refused"
  readonly city: string
  constructor(city: string) {
    super(`no data for ${city}`)
    this.city = city
  }
}

const fetchRows = async (city: string): Promise<number> => {
  await setTimeout(20)
  if (city === "Atlantis") throw new Refused(city)
  return city.length
}

const index = async (signal: AbortSignal): Promise<void> => {
  try {
    await setTimeout(60_000, undefined, { signal })
  } finally {
    console.log("the index is as it was")
  }
}

// the steps

const fetchCity = Step.fnPromise("fetch")(fetchRows, (step, city) => Step.key(step, city))

const indexed = Step.promise("index", index).pipe(Step.timeout("100 millis"))

export const nightly = Pipeline.make(
  "nightly",
  Effect.gen(function*() {
    for (const city of ["Berlin", "Atlantis"]) yield* Effect.ignore(fetchCity(city))
    yield* Effect.ignore(indexed)
  })
).pipe(Pipeline.runName("tonight"), Pipeline.stepHooks(AlerterHooks.all))

if (import.meta.main) nightly.pipe(Effect.provide(Alerter.layerConsole), runMain)
