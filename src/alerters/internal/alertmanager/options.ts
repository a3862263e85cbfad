/** Describes the channel of Alertmanager in the config file. */
import * as Schema from "effect/Schema"
import * as Alertmanager from "../../Alertmanager.ts"
import { pathOf, serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { either, list, optional, record, required } from "../channel/schema/structure.ts"
import { addressesIn } from "./alert.ts"

type Url = Alertmanager.AlertmanagerOptions["url"]

const addresses = Leaf.leaf<ReadonlyArray<string>>({
  expected: "an address of http or https without a user, a query and a fragment, or several with spaces between them",
  json: Schema.String,
  parse: (input) => {
    const urls = typeof input === "string" ? addressesIn(input) : []
    return urls.length > 0 && urls.every(Leaf.isBaseUrl) ? urls : undefined
  }
})

// https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
const isLabel = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)

/** @internal */
export const alertmanager = fileChannel<Alertmanager.AlertmanagerOptions>({
  description: "Prometheus Alertmanager",
  variables: { url: "ALERTMANAGER_URL" },
  optionalVariables: { token: "ALERTMANAGER_TOKEN", basicAuth: "ALERTMANAGER_BASIC_AUTH" },
  keys: {
    url: required(
      either(addresses, list(Leaf.baseUrl, 1), (urls): Url => urls, Array.isArray),
      "The address of the server, or those of all instances of a cluster."
    ),
    token: optional(Leaf.token("a token"), "A token, which is sent as `Authorization: Bearer`."),
    basicAuth: optional(
      Leaf.secret("a user and a password, as in user:password", (text) => text.indexOf(":") > 0),
      "A user and a password, as in `user:password`."
    ),
    alertname: optional(Leaf.text("text"), "The label `alertname` of all alerts. The name of the pipeline unless set."),
    labels: optional(
      record(Leaf.text("text"), isLabel, "the name of a label: letters, digits and _, with no digit first"),
      "More labels, by which Alertmanager routes alerts and tells them apart."
    ),
    resolveAfter: optional(
      Leaf.duration(),
      "How long an alert is open that no recovery ends and no failure posts again. One day unless set."
    ),
    notes: optional(
      Leaf.flag,
      "Whether alerts that are about no problem are posted, with the severity info. True unless set."
    ),
    ...sending
  },
  check: (input) =>
    "token" in input && "basicAuth" in input
      ? [{ path: ["basicAuth"], expected: "either token or basicAuth, and there are both" }]
      : [],
  layer: Alertmanager.layer,
  urls: [{
    schemes: ["alertmanager", "alertmanagers"],
    form: "alertmanagers://USER:PASSWORD@HOST:PORT",
    read: (address) => {
      const { password, path, user } = address
      return {
        url: `${serverOf(address)}${path.length === 0 ? "" : `/${pathOf(path)}`}`,
        ...(user === undefined ? {} : password === undefined ? { token: user } : { basicAuth: `${user}:${password}` })
      }
    }
  }]
})
