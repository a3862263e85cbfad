/** Tells alerters that keep failures when these are over. */
import * as AlerterHooks from "../../../AlerterHooks.ts"
import * as Hook from "../../../Hook.ts"
import { make as collect, type Table } from "../../../internal/model/hooks.ts"
import type { HookOverrides } from "../../../internal/model/plan.ts"

/** Posts a success that nobody reads, by which `recovered` and channels with incidents learn that a failure is over. */
export const quietSuccess = Hook.named(
  AlerterHooks.successWith((alert) => alert.with({ quiet: true })),
  "AlerterHooks.success"
)

const table: Table = collect(quietSuccess).hooks

// beside the hooks of the code, which it must not stand in for
const beside = (level: HookOverrides["level"]): HookOverrides => ({ hooks: table, modes: { success: "append" }, level })

const forSteps = [beside("pipeline")]
const forRun = [beside("step")]

const standard = { success: "AlerterHooks.success", failure: "AlerterHooks.failure" }

const has = (tables: ReadonlyArray<Table>, kind: keyof typeof standard): boolean =>
  tables.some((table) => table[kind].some(({ name }) => name === standard[kind]))

const areAlerted = (tables: ReadonlyArray<Table>): boolean => has(tables, "failure") && !has(tables, "success")

/** Returns the hooks of steps of whose failures a file tells, and not of their successes. */
export const ofSteps = (...tables: ReadonlyArray<Table>): ReadonlyArray<HookOverrides> =>
  areAlerted(tables) ? forSteps : []

/** Returns the hooks of a run of whose failure a file tells, and not of its success. */
export const ofRun = (table: Table): ReadonlyArray<HookOverrides> => areAlerted([table]) ? forRun : []
