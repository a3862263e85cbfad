/** The keys that monitors have in common in the config file. */
import { attemptsOf } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import { oneOrMore, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import type { MonitorOptions } from "../../MonitorOptions.ts"

/** Options as a file holds them: a function can't stand in one. */
export type InFile<Options extends Pick<MonitorOptions, "when">> = Omit<Options, "when">

/** @internal */
export const watching = {
  pipeline: optional(
    oneOrMore(Leaf.text("the name of a pipeline")),
    "The name of the pipeline whose runs it is told of, or a list of names. Unless set, it is told of the first run that begins while it knows of no other."
  ),
  every: optional(Leaf.duration(), "How often it gets a heartbeat while a run goes on. Never unless set."),
  ...attemptsOf("pings", "service")
}

/** @internal */
export const interrupt = optional(
  Leaf.oneOf(["failure", "success", "none"]),
  "How it is told of a run that was interrupted: as a failure unless set, as a success, or not at all."
)

/** @internal */
export const logs = optional(
  Leaf.whole(0),
  "How many of the last lines that the run logged are sent with its end. 50 unless set."
)
