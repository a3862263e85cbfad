/** Describes the channel of signed webhooks in the config file. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Webhook from "../../Webhook.ts"
import { areHeaders } from "../channel/headers.ts"
import { isHttp } from "../channel/isHttp.ts"
import { webOf } from "../channel/schema/channelUrl.ts"
import { attempts, fileChannel } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, record, required } from "../channel/schema/structure.ts"
import { keyOf } from "./request.ts"

// not trimmed: white space is part of a key that is free text
const signingKey = Leaf.leaf<Redacted.Redacted<string>>({
  expected: "the key of the signature: text, or base64 after whsec_",
  json: Schema.String,
  parse: (input) =>
    typeof input === "string" && input.trim() !== "" && keyOf(input) !== undefined ? Redacted.make(input) : undefined
})

const header = Leaf.leaf<Redacted.Redacted<string> | string>({
  expected: "the value of a header",
  json: Schema.String,
  // unlike other texts, a header may be empty
  parse: (input, ofVariable) =>
    typeof input !== "string" || !areHeaders({ x: input }) ? undefined : ofVariable ? Redacted.make(input) : input
})

/** The options that a file can set: `render` is code, and the JSON has its time in UTC whatever `timeZone` is. */
type Options = Omit<Webhook.WebhookOptions, "render" | "timeZone">

/** @internal */
export const webhook = fileChannel<Options>({
  description: "Signed JSON, for a server of your own",
  variables: { url: "ALERT_WEBHOOK_URL" },
  optionalVariables: { secret: "ALERT_WEBHOOK_SECRET" },
  keys: {
    url: required(
      Leaf.secret("an address of http or https", isHttp),
      "The server's address. A user and a password in it are sent as a header."
    ),
    secret: optional(
      signingKey,
      "The key of the signature: base64 after `whsec_`, or any text. Without it there is no signature."
    ),
    headers: optional(
      record(header, (name) => areHeaders({ [name]: "x" }), "the name of a header"),
      "More headers. Those from variables are kept out of all output."
    ),
    maxBytes: optional(Leaf.whole(1), "How long a body may be. 100,000 bytes unless set."),
    ...attempts
  },
  layer: Webhook.layer,
  urls: [{
    schemes: ["webhook", "webhooks"],
    form: "webhooks://HOST/PATH?QUERY",
    parameters: "all",
    read: (address) => ({ url: webOf(address, address.scheme === "webhooks") })
  }]
})
