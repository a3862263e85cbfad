/** Describes the channel of Gotify in the config file. */
import * as Gotify from "../../Gotify.ts"
import { pathOf, serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { bySeverity, optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const gotify = fileChannel<Gotify.GotifyOptions>({
  description: "An application of Gotify",
  variables: { server: "GOTIFY_SERVER", token: "GOTIFY_TOKEN" },
  keys: {
    server: required(Leaf.baseUrl, "The address of the server."),
    token: required(Leaf.token("the token of an application"), "The token of the application."),
    priorities: optional(
      bySeverity(Leaf.whole(0, 10), "The priority"),
      "The priorities by severity, from 0 to 10. 1 for `info`, 3 for `success`, 5 for `warning`, 8 for `error` and 10 for `critical` unless set."
    ),
    ...sending
  },
  layer: Gotify.layer,
  // https://github.com/caronc/apprise/wiki/Notify_gotify
  urls: [{
    schemes: ["gotify", "gotifys"],
    form: "gotifys://HOST/TOKEN",
    read: (address) => {
      const { path, user } = address
      if (path.length === 0 || user !== undefined) return undefined
      const [token, folder] = [path.at(-1), path.slice(0, -1)]
      return { server: `${serverOf(address)}${folder.length === 0 ? "" : `/${pathOf(folder)}`}`, token }
    }
  }]
})
