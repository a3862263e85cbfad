/**
 * An order that is taken back where it fails half-way: what was reserved is put back, and what was charged is refunded.
 *
 *     bun examples/rollback.ts
 *     bun examples/rollback.ts --fails
 */
import { Data, Effect, Schedule } from "effect"
import { Alerter, AlerterHooks, Hook, Pipeline, Step } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import process from "node:process"

const isFailing = process.argv.includes("--fails")

class NoCarrier extends Data.TaggedError("NoCarrier")<{ readonly country: string }> {}

class BankBusy extends Data.TaggedError("BankBusy")<{}> {}

const reserve = Step.fn("reserve")(
  (item: string) => Effect.as(Effect.log(`reserved ${item}`), { item }),
  (step, item) => Step.key(step, item),
  Step.onRollback(({ item }) => Effect.log(`put ${item} back`))
)

let attempts = 0

// a hook as a value takes policies: a name, a time limit, retries
const refund = Hook.onRollback((payment: { readonly cents: number }) =>
  ++attempts < 2 ? Effect.fail(new BankBusy()) : Effect.log(`refunded ${payment.cents} cents`)
).pipe(
  Hook.named("refund"),
  Hook.retry({ times: 3, schedule: Schedule.spaced("10 millis") }),
  Hook.timeout("1 minute")
)

const charge = Step.make("charge", Effect.as(Effect.log("charged 4200 cents"), { cents: 4200 })).pipe(
  Step.hooks(refund)
)

const ship = Step.make(
  "ship",
  Effect.suspend(() => isFailing ? Effect.fail(new NoCarrier({ country: "AQ" })) : Effect.log("shipped"))
)

const order = Pipeline.make(
  "order",
  Effect.gen(function*() {
    yield* reserve("tent")
    yield* reserve("stove")
    yield* charge
    yield* ship
  })
).pipe(
  Pipeline.runName("order 7"),
  Pipeline.hooks(AlerterHooks.failure) // with the fields "undone" and, where that failed, "not undone"
)

order.pipe(Effect.provide(Alerter.layerConsole), runMain({ disableErrorReporting: true }))
