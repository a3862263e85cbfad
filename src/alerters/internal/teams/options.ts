/** Describes the channel of Microsoft Teams in the config file. */
import * as Teams from "../../Teams.ts"
import { pathOf, serverOf, webOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { required } from "../channel/schema/structure.ts"

/** @internal */
export const teams = fileChannel<Teams.WebhookOptions>({
  description: "A workflow of Microsoft Teams",
  variables: { webhookUrl: "TEAMS_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of a workflow."),
    ...sending
  },
  layer: Teams.layer,
  // https://github.com/caronc/apprise/wiki/Notify_workflows, and the whole address
  urls: [
    {
      schemes: ["workflows", "workflow"],
      form: "workflows://HOST:PORT/WORKFLOW/SIGNATURE",
      parameters: ["ver"],
      read: (address) => {
        const [workflow = "", signature = "", ...more] = address.path
        if (signature === "" || more.length > 0) return undefined
        const query = new URLSearchParams({
          "api-version": address.query["ver"] ?? "2016-06-01",
          sp: "/triggers/manual/run",
          sv: "1.0",
          sig: signature
        })
        return {
          webhookUrl: `${serverOf(address, true)}/workflows/${pathOf([workflow])}/triggers/manual/paths/invoke?${query}`
        }
      }
    },
    {
      schemes: ["teams"],
      form: "teams://HOST/PATH?QUERY",
      parameters: "all",
      read: (address) => ({ webhookUrl: webOf(address, true) })
    }
  ]
})
