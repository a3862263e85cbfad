/** Describes the channel of ntfy in the config file. */
import * as Ntfy from "../../Ntfy.ts"
import { serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { either, isMap, object, optional, required } from "../channel/schema/structure.ts"

const aTopic = "a topic of up to 64 letters, digits, - and _"

// https://docs.ntfy.sh/publish/#picking-a-topic-name
const isTopic = (text: string): boolean => /^[-_A-Za-z0-9]{1,64}$/.test(text)

/** @internal */
export const ntfy = fileChannel<Ntfy.NtfyOptions>({
  description: "A topic of ntfy",
  variables: { topic: "NTFY_TOPIC" },
  optionalVariables: { server: "NTFY_SERVER", token: "NTFY_TOKEN" },
  keys: {
    topic: required(
      either(
        object({ secret: required(Leaf.secret(aTopic, isTopic), "The topic.") }, {
          expected: `${aTopic}, or a map with the key secret`
        }),
        Leaf.text(`${aTopic}, or a map with the key secret`, isTopic),
        ({ secret }): Ntfy.NtfyOptions["topic"] => secret,
        (input) => !isMap(input)
      ),
      "The topic. On a server without access control anybody who knows it can read and write it. Written as `secret: …`, it is kept out of all output."
    ),
    server: optional(Leaf.baseUrl, "The address of the server. `https://ntfy.sh` unless set."),
    token: optional(Leaf.token("a token"), "An access token, where the server requires one."),
    ...sending
  },
  layer: Ntfy.layer,
  // https://github.com/caronc/apprise/wiki/Notify_ntfy
  urls: [{
    schemes: ["ntfy", "ntfys"],
    form: "ntfys://TOKEN@HOST/TOPIC",
    parameters: ["mode"],
    read: (address) => {
      const { host, password, path: [topic, ...more], user } = address
      // the channel knows tokens, and no passwords
      if (more.length > 0 || password !== undefined) return undefined
      return {
        topic: { secret: topic ?? host },
        ...(topic === undefined ? {} : { server: serverOf(address) }),
        ...(user === undefined ? {} : { token: user })
      }
    }
  }]
})
