/** Describes the channel of Microsoft Teams in the config file. */
import * as Teams from "../../Teams.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { required } from "../channel/schema/structure.ts"

/** @internal */
export const teams = fileChannel<Teams.WebhookOptions>({
  description: "A workflow of Microsoft Teams",
  variables: ["TEAMS_WEBHOOK_URL"],
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of a workflow."),
    ...sending
  },
  layer: Teams.layer,
  fromEnvironment: Teams.layerConfig
})
