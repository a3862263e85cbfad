/** Describes the channel of ntfy in the config file. */
import * as Ntfy from "../../Ntfy.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const ntfy = fileChannel<Ntfy.NtfyOptions>({
  description: "A topic of ntfy",
  variables: ["NTFY_TOPIC", "NTFY_SERVER", "NTFY_TOKEN"],
  keys: {
    topic: required(
      // https://docs.ntfy.sh/publish/#picking-a-topic-name
      Leaf.maybeSecret(
        "a topic of up to 64 letters, digits, - and _",
        (text) => /^[-_A-Za-z0-9]{1,64}$/.test(text)
      ),
      "The topic. Anybody who knows it can read and write it: one from a variable is kept out of all output."
    ),
    server: optional(Leaf.baseUrl, "The address of the server. `https://ntfy.sh` unless set."),
    token: optional(Leaf.token("a token"), "An access token, where the server requires one."),
    ...sending
  },
  layer: Ntfy.layer,
  fromEnvironment: Ntfy.layerConfig
})
