/** Describes the channel of Pushover in the config file. */
import * as Duration from "effect/Duration"
import * as Pushover from "../../Pushover.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { bySeverity, optional, required } from "../channel/schema/structure.ts"
import { leastRetry, mostExpire } from "./message.ts"

const isKey = (text: string): boolean => /^[A-Za-z0-9]{1,100}$/.test(text)

// a cast, since TypeScript does not see that these are the whole numbers between
const priority = Leaf.whole(-2, 2) as Leaf.FromFile<Pushover.Priority>

/** @internal */
export const pushover = fileChannel<Pushover.PushoverOptions>({
  description: "Pushover, which notifies phones",
  variables: { token: "PUSHOVER_TOKEN", user: "PUSHOVER_USER" },
  keys: {
    token: required(
      Leaf.secret("the token of an application: letters and digits", isKey),
      "The token of an application."
    ),
    user: required(
      Leaf.secret("the key of a user or a group: letters and digits", isKey),
      "The key of a user or a group."
    ),
    device: optional(
      Leaf.text("the name of a device, or several with commas between them", (text) => /^[\w,-]+$/.test(text)),
      "The device, or several with commas between them. All unless set."
    ),
    sound: optional(Leaf.text("the name of a sound", (text) => /^\w+$/.test(text)), "The sound, by its name."),
    priorities: optional(
      bySeverity(priority, "The priority"),
      "The priorities by severity. -1 for `info` and `success`, 0 for `warning`, 1 for `error` and 2 for `critical` unless set."
    ),
    retry: optional(
      Leaf.duration({
        within: {
          expected: "of at least 30 seconds",
          test: (duration) => Duration.isGreaterThanOrEqualTo(duration, leastRetry)
        }
      }),
      "How often an alert of priority 2 is repeated, until somebody confirms it. One minute unless set."
    ),
    expire: optional(
      Leaf.duration({
        within: {
          expected: "of at most 3 hours",
          test: (duration) => Duration.isLessThanOrEqualTo(duration, mostExpire)
        }
      }),
      "For how long an alert of priority 2 is repeated. One hour unless set."
    ),
    baseUrl: optional(Leaf.baseUrl, "The address of the API. `https://api.pushover.net` unless set."),
    ...sending
  },
  layer: Pushover.layer,
  // https://github.com/caronc/apprise/wiki/Notify_pushover
  urls: [{
    schemes: ["pover"],
    form: "pover://USER_KEY@TOKEN/DEVICE",
    parameters: ["priority"],
    // one priority for all severities would hide how bad a failure is
    read: ({ host, path, query: { priority }, user }) =>
      priority !== undefined ? undefined : {
        token: host,
        user,
        ...(path.length === 0 ? {} : { device: path.join(",") })
      }
  }]
})
