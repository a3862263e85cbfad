/** Records that a step has begun, for those steps of which no other record says so. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { BegunRecord, type Placed } from "../stored/records.ts"
import { partOf } from "./counted.ts"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step. */
interface BegunKeeper {
  readonly evaluation: Evaluation
  readonly durable: DurableRun
  readonly key: string
  readonly placed: Placed
  readonly begun: boolean
  readonly record: (name: string, schema: Schema.Top, execute: AnyEffect) => AnyEffect
  readonly restore: (started: { readonly startedAt: number }) => void
}

const record = (keeper: BegunKeeper, execute: Effect.Effect<typeof BegunRecord.Type>): AnyEffect =>
  keeper.record(`${keeper.key}/begun`, BegunRecord, execute)

/** Records that the step has begun, for an attempt that suspends: until it ends no other record says so. */
export const recordBegun = (keeper: BegunKeeper): Effect.Effect<void> =>
  // the cast: the engine is in a workflow's context, and this record can always be encoded
  Effect.orDie(Effect.asVoid(
    record(keeper, Effect.succeed({ startedAt: keeper.evaluation.startedMillis, ...keeper.placed }))
  )) as Effect.Effect<void>

/** Restores whether the step had begun, for a run that ends before its body comes to the step again. */
export const recallBegun = (keeper: BegunKeeper): AnyEffect =>
  keeper.begun ? Effect.void : Effect.map(
    record(keeper, findBegun(keeper)),
    ({ startedAt }: typeof BegunRecord.Type) => {
      if (startedAt !== undefined) keeper.restore({ startedAt })
    }
  )

const findBegun = ({ durable, key }: BegunKeeper): Effect.Effect<typeof BegunRecord.Type> =>
  Effect.map(
    durable.crashes?.find(partOf(durable, key)) ?? Effect.undefined,
    (begun) => begun === undefined ? {} : { startedAt: begun.startedAt }
  )
