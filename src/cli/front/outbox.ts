/** The command `outbox`, with `list`, `retry` and `drop` for alerts that were not delivered. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { Perform } from "./flags.ts"
import { common, toCommon } from "./stored.ts"

/** Loads the commands for alerts that were not delivered. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../durable/outbox.ts")

const idOf = Argument.String("id").pipe(
  Argument.withMetavar("ID"),
  Argument.withDescription("The id of the alert, or the beginning of it, as \"epilogue outbox list\" prints it")
)

/** @internal */
export const make = (perform: Perform) => {
  const list = Command.make("list", common, (input) =>
    Effect.gen(function*() {
      const request = yield* toCommon(input)
      yield* perform(async () => (await library()).listAlerts(request))
    })).pipe(
      Command.withDescription("List the alerts in the outboxes of a database that were not delivered, and why"),
      Command.withShortDescription("List the alerts that were not delivered"),
      Command.withExamples([{ command: "epilogue outbox list --json" }])
    )

  const retry = Command.make(
    "retry",
    { ...common, ids: Argument.variadic(idOf) },
    ({ ids, ...input }) =>
      Effect.gen(function*() {
        const request = { ...(yield* toCommon(input)), ids }
        yield* perform(async () => (await library()).retryAlerts(request))
      })
  ).pipe(
    Command.withDescription(
      "Let alerts be delivered at once, as if they had never been tried: those with the ids, or all that are set aside. " +
        "The process whose outbox it is delivers them, or the next one."
    ),
    Command.withShortDescription("Deliver alerts that are set aside"),
    Command.withExamples([
      { command: "epilogue outbox retry", description: "All that are set aside" },
      { command: "epilogue outbox retry 0b3f9c" }
    ])
  )

  const drop = Command.make("drop", { ...common, id: idOf }, ({ id, ...input }) =>
    Effect.gen(function*() {
      const request = { ...(yield* toCommon(input)), id }
      yield* perform(async () => (await library()).dropAlert(request))
    })).pipe(
      Command.withDescription("Give an alert up, so that it is never delivered"),
      Command.withShortDescription("Give an alert up"),
      Command.withExamples([{ command: "epilogue outbox drop 0b3f9c" }])
    )

  return Command.make("outbox").pipe(
    Command.withDescription(
      "Look after the alerts in the outboxes of durable pipelines that were not delivered: list, retry and drop them"
    ),
    Command.withShortDescription("Look after alerts that were not delivered"),
    Command.withSubcommands([list, retry, drop])
  )
}
