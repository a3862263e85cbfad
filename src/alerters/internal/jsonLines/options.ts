/** Describes the channel that appends to a file in the config file. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as JsonLines from "../../JsonLines.ts"
import { fileChannel } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const jsonLines = fileChannel<JsonLines.JsonLinesOptions>({
  description: "A file, to which each alert adds a line of JSON",
  variables: { path: "ALERT_FILE" },
  keys: {
    path: required(Leaf.text("the path of a file"), "The path of the file, relative to the folder of this one."),
    maxBytes: optional(Leaf.whole(1), "How long a line may be. 512 KiB unless set.")
  },
  layer: (options, folder) =>
    Layer.unwrap(
      Effect.map(Path.Path, (path) => JsonLines.layer({ ...options, path: path.resolve(folder, options.path) }))
    ),
  urls: [{
    schemes: ["jsonlines"],
    form: "jsonlines://PATH",
    read: ({ host, path }) => ({ path: `${host}${host === "" || path.length > 0 ? "/" : ""}${path.join("/")}` })
  }]
})
