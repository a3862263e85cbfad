/** The command `ack`: lists the failures that are open, and acknowledges them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AckRequest } from "../request.ts"
import { allowOutside, config, logLevel, on, type Perform, root, rootOf, text } from "./flags.ts"

/** Loads the command, which imports the library. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../run/ack.ts")

const optional = (name: string, metavar: string, what: string) => Flag.optional(text(name, metavar, what))

const key = Argument.String("key").pipe(
  Argument.withMetavar("KEY"),
  Argument.withDescription("The key or the id of a failure, as the list and reminders have it; none for the list")
)

/** @internal */
export const make = (perform: Perform) =>
  Command.make("ack", {
    keys: Argument.variadic(key),
    config: config("The config file whose alerter has the store; unless set, epilogue.yaml in this folder"),
    store: optional("store", "FILE", "The store itself, in place of a config file"),
    all: on("all", "Acknowledge all that are open"),
    list: on("list", "List the failures that are open, with those that are acknowledged"),
    by: optional("by", "NAME", "Your name; the user of the machine unless set"),
    comment: optional("comment", "TEXT", "A text that people are told with your name").pipe(Flag.withAlias("m")),
    json: on("json", "Print JSON, an object on each line"),
    root,
    allowOutside
  }, ({ by, comment, config, root, store, ...input }) =>
    Effect.gen(function*() {
      const request: AckRequest = {
        ...input,
        config: Option.getOrUndefined(config),
        store: Option.getOrUndefined(store),
        by: Option.getOrUndefined(by),
        comment: Option.getOrUndefined(comment),
        root: yield* rootOf(root),
        logLevel: yield* logLevel
      }
      yield* perform(async () => (await library()).ack(request))
    })).pipe(
      Command.withDescription(
        "List the failures that the policies remind and escalate of an alerter keep in its store, or acknowledge them, " +
          "which ends reminders and escalations until they have recovered. With --config, people are told by the file's " +
          "alerter who it was; with --store, by the next process that uses the alerter. The exit code is 1 if nothing is " +
          "open under a key, 2 if the config or the command line is wrong, 3 if people could not be told."
      ),
      Command.withShortDescription("List failures that are open, or acknowledge them"),
      Command.withExamples([
        { command: "epilogue ack --config alerts.yaml", description: "List what is open" },
        { command: "epilogue ack 1k2j3h4 --config alerts.yaml --comment \"on it\"" },
        { command: "epilogue ack --all --store .epilogue/alerts.db --by Ada" }
      ])
    )
