/** Describes the channel of Sentry in the config file. */
import * as Sentry from "../../Sentry.ts"
import { webOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, record, required } from "../channel/schema/structure.ts"
import { aDsn, anEnvironment, isDsn, isEnvironment } from "./dsn.ts"

// https://develop.sentry.dev/sdk/foundations/transport/event-payloads/#optional-attributes
const isTag = (name: string): boolean => /^[\w.:-]{1,32}$/.test(name)

/** @internal */
export const sentry = fileChannel<Sentry.SentryOptions>({
  description: "A project of Sentry, which gets alerts as events",
  variables: { dsn: "SENTRY_DSN" },
  optionalVariables: { environment: "SENTRY_ENVIRONMENT", release: "SENTRY_RELEASE" },
  keys: {
    dsn: required(Leaf.secret(aDsn, isDsn), "The DSN of the project."),
    environment: optional(
      Leaf.text(anEnvironment, isEnvironment),
      "The environment, as in `staging`. Sentry's is `production` unless set."
    ),
    release: optional(
      Leaf.text(
        "text without line ends, of at most 200 characters",
        (text) => text.length <= 200 && !text.includes("\n")
      ),
      "The version of the code."
    ),
    tags: optional(
      record(Leaf.text("text"), isTag, "the name of a tag: up to 32 letters, digits, _, ., : and -"),
      "More tags, as in `{ team: data }`."
    ),
    notes: optional(Leaf.flag, "Whether alerts that are about no problem become events, too. True unless set."),
    recoveries: optional(
      Leaf.flag,
      "Whether recoveries become events of the issue, which opens one that is resolved again. False unless set."
    ),
    ...sending
  },
  layer: Sentry.layer,
  urls: [{
    schemes: ["sentry"],
    form: "sentry://KEY@HOST/PROJECT",
    parameters: ["tls"],
    read: (address) => {
      const { tls = "yes" } = address.query
      return tls === "yes" || tls === "no"
        ? { dsn: webOf({ ...address, rest: address.rest.split("?")[0]! }, tls === "yes") }
        : undefined
    }
  }]
})
