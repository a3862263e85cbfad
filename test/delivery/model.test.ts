/**
 * Random stories of policies, channels and processes. `MODEL_RUNS` is their number, 40 unless set.
 * `bun scripts/fuzz.ts --seconds=600 "stories of policies and channels"` runs more, and longer ones.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import { test } from "node:test"
import { forAll } from "../support/property.ts"
import { stories, tell } from "./stories.ts"

test("whatever happens, what was posted arrives once and in order, or is told to be lost", () =>
  Effect.runPromise(forAll(stories(25), tell, Number(process.env["MODEL_RUNS"] ?? 40))))
