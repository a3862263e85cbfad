/** Lists the channels of the config file, each under its key. */
import * as Effect from "effect/Effect"
import { Alerter } from "../../Alerter.ts"
import { alertmanager } from "./alertmanager/options.ts"
import { apprise } from "./apprise/options.ts"
import type { FileChannel } from "./channel/schema/fileChannel.ts"
import { yes } from "./channel/schema/leaf.ts"
import { console } from "./console/options.ts"
import { discord, discordBot } from "./discord/options.ts"
import { email } from "./email/options.ts"
import { gitHubIssues } from "./gitHubIssues/options.ts"
import { googleChat } from "./googleChat/options.ts"
import { gotify } from "./gotify/options.ts"
import { jsonLines } from "./jsonLines/options.ts"
import { matrix } from "./matrix/options.ts"
import { mattermost } from "./mattermost/options.ts"
import { ntfy } from "./ntfy/options.ts"
import { opsgenie } from "./opsgenie/options.ts"
import { pagerDuty } from "./pagerDuty/options.ts"
import { pushover } from "./pushover/options.ts"
import { rocketChat } from "./rocketChat/options.ts"
import { sentry } from "./sentry/options.ts"
import { slack, slackBot } from "./slack/options.ts"
import { teams } from "./teams/options.ts"
import { telegram } from "./telegram/options.ts"
import { twilio } from "./twilio/options.ts"
import { webhook } from "./webhook/options.ts"
import { zulip } from "./zulip/options.ts"

const none: FileChannel<{}> = {
  description: "Drops alerts.",
  schema: yes("true"),
  environment: Effect.succeed({}),
  layer: () => Alerter.layerNone
}

/** @internal */
export const channels = {
  slack,
  slackBot,
  discord,
  discordBot,
  teams,
  googleChat,
  mattermost,
  gotify,
  zulip,
  matrix,
  rocketChat,
  telegram,
  email,
  pagerDuty,
  opsgenie,
  sentry,
  gitHubIssues,
  alertmanager,
  ntfy,
  pushover,
  twilio,
  apprise,
  webhook,
  console,
  jsonLines,
  none
}
