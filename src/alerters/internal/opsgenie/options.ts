/** Describes the channel of Opsgenie in the config file. */
import * as Opsgenie from "../../Opsgenie.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { bySeverity, oneOrMore, optional, required } from "../channel/schema/structure.ts"
import { priorities } from "./alert.ts"

/** @internal */
export const opsgenie = fileChannel<Opsgenie.OpsgenieOptions>({
  description: "Opsgenie, or the alerts of Jira Service Management",
  variables: { apiKey: "OPSGENIE_API_KEY" },
  optionalVariables: { baseUrl: "OPSGENIE_URL" },
  keys: {
    apiKey: required(Leaf.token("the key of an API integration"), "The key of an API integration."),
    baseUrl: optional(
      Leaf.baseUrl,
      "The address of the API. `https://api.opsgenie.com` unless set; in the EU `https://api.eu.opsgenie.com`, of Jira Service Management `https://api.atlassian.com/jsm/ops/integration`."
    ),
    teams: optional(oneOrMore(Leaf.text("the name of a team"), 0), "The teams that are told, by their names."),
    priorities: optional(
      bySeverity(Leaf.oneOf(priorities), "The priority"),
      "The priorities by severity. P1 for `critical`, P2 for `error`, P3 for `warning` and P5 for others unless set."
    ),
    notes: optional(
      Leaf.flag,
      "Whether alerts that are about no problem become alerts, too. If not, they are dropped. True unless set."
    ),
    ...sending
  },
  layer: Opsgenie.layer,
  // https://github.com/caronc/apprise/wiki/Notify_opsgenie
  urls: [{
    schemes: ["opsgenie"],
    form: "opsgenie://API_KEY/#TEAM",
    parameters: ["region"],
    read: ({ host, path, query: { region } }) =>
      path.every((target) => target.startsWith("#"))
        ? {
          apiKey: host,
          ...(path.length === 0 ? {} : { teams: path.map((team) => team.slice(1)) }),
          ...(region === "eu" ? { baseUrl: "https://api.eu.opsgenie.com" } : {})
        }
        : undefined
  }]
})
