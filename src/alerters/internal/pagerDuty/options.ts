/** Describes the channel of PagerDuty in the config file. */
import * as PagerDuty from "../../PagerDuty.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const pagerDuty = fileChannel<PagerDuty.PagerDutyOptions>({
  description: "A service of PagerDuty",
  variables: { routingKey: "PAGERDUTY_ROUTING_KEY" },
  keys: {
    routingKey: required(
      Leaf.token("an integration key"),
      "The integration key of an \"Events API v2\" integration."
    ),
    component: optional(Leaf.text("text"), "The part of the system that has failed. The path of the step unless set."),
    group: optional(Leaf.text("text"), "What the pipeline belongs to."),
    source: optional(Leaf.text("text"), "The system that has failed, for alerts that come from no pipeline."),
    changeEvents: optional(
      Leaf.flag,
      "Whether alerts that are about no problem become change events. If not, they are dropped. True unless set."
    ),
    baseUrl: optional(Leaf.baseUrl, "The address of the Events API. `https://events.pagerduty.com` unless set."),
    ...sending
  },
  layer: PagerDuty.layer,
  // https://github.com/caronc/apprise/wiki/Notify_pagerduty
  urls: [{
    schemes: ["pagerduty"],
    form: "pagerduty://ROUTING_KEY",
    parameters: ["region"],
    // Apprise has the key of the REST API behind the `@`, which sends nothing
    read: ({ host, path: [source, component, ...more], query: { region }, user }) =>
      more.length > 0 ? undefined : {
        routingKey: user ?? host,
        ...(source === undefined ? {} : { source }),
        ...(component === undefined ? {} : { component }),
        ...(region === "eu" ? { baseUrl: "https://events.eu.pagerduty.com" } : {})
      }
  }]
})
