/** Lists the channels of the config file, each under its key. */
import { Alerter } from "../../Alerter.ts"
import type { FileChannel } from "./channel/schema/fileChannel.ts"
import { yes } from "./channel/schema/leaf.ts"
import { console } from "./console/options.ts"
import { discord, discordBot } from "./discord/options.ts"
import { email } from "./email/options.ts"
import { jsonLines } from "./jsonLines/options.ts"
import { ntfy } from "./ntfy/options.ts"
import { pagerDuty } from "./pagerDuty/options.ts"
import { slack, slackBot } from "./slack/options.ts"
import { teams } from "./teams/options.ts"
import { telegram } from "./telegram/options.ts"
import { webhook } from "./webhook/options.ts"

const none: FileChannel<never> = { description: "Drops alerts.", schema: yes("true"), layer: () => Alerter.layerNone }

/** @internal */
export const channels = {
  slack,
  slackBot,
  discord,
  discordBot,
  teams,
  telegram,
  email,
  pagerDuty,
  ntfy,
  webhook,
  console,
  jsonLines,
  none
}
