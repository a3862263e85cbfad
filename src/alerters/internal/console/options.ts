/** Describes the console as a channel in the config file. */
import * as Console from "../../Console.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional } from "../channel/schema/structure.ts"

/** @internal */
export const console = fileChannel<Console.ConsoleOptions>({
  description: "The console",
  variables: {},
  keys: {
    colors: optional(Leaf.oneOf(["auto", "always", "never"]), "Whether to print in colours. `auto` unless set."),
    stream: optional(Leaf.oneOf(["stdout", "stderr"]), "`stdout` unless set."),
    timeZone: sending.timeZone
  },
  layer: Console.layer,
  urls: [{
    schemes: ["console"],
    form: "console://",
    read: ({ rest }) => rest.replace(/\?[^]*$/, "") === "" ? {} : undefined
  }]
})
