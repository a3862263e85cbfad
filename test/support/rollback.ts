/** Steps for tests of rollbacks. */
import * as Effect from "effect/Effect"
import { Step } from "../../src/index.ts"
import type { Calls } from "./observe.ts"

export const boom = Step.make("boom", Effect.fail("boom"))

/** Makes a step that notes that it ran, and that it was undone. */
export const undoable = ({ note }: Calls, name: string) =>
  Step.make(name, Effect.as(note(name), name)).pipe(Step.onRollback((value) => note(`undo ${value}`)))
