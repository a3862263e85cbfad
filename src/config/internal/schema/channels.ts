/** The channels' options as a file has them, under the names that they have in code. */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  either,
  type Mistake,
  object,
  oneOrMore,
  optional,
  record,
  required
} from "../../../alerters/internal/channel/schema/structure.ts"
import { areHeaders } from "../../../alerters/internal/webhook.ts"
import { severities } from "../../../internal/model/severity.ts"

const zone = optional(Leaf.timeZone, "In which times are shown.")

const attempts = {
  timeout: optional(Leaf.duration(), "How long one attempt may take. 10 seconds unless set."),
  retries: optional(Leaf.whole(0), "How many attempts may follow the first. 3 unless set."),
  delay: optional(Leaf.duration({ zero: true }), "The delay before the second attempt. 500 milliseconds unless set."),
  maxDelay: optional(Leaf.duration({ zero: true }), "The longest delay. One minute unless set.")
}

const sending = { ...attempts, timeZone: zone }

/** `true` stands for what the environment says: the variables of `layerConfig`. */
const channel = <A>(options: Leaf.FromFile<A>): Leaf.FromFile<A | true> =>
  either(Leaf.yes("true, for options from the environment, or a map with options"), options, () => true)

const token = Leaf.token("a token")

const maxBytes = Leaf.whole(1)

// -----------------------------------------------------------------------------
// mail
// -----------------------------------------------------------------------------

/** One, or several with commas between them, on one line. */
const isAddress = (text: string): boolean =>
  text.split(",").every((one) => /[^\s<>,;@]@[^\s<>,;@]/.test(one)) &&
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  !/[\u0000-\u001f\u007f]/.test(text.trim().replace(/,\s+/g, ", "))

const isSmtp = (text: string): boolean => {
  const url = URL.parse(text.trim())
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return false
  if (url.search !== "" || url.hash !== "" || !/^\/?$/.test(url.pathname)) return false
  try {
    const user = decodeURIComponent(url.username)
    const password = decodeURIComponent(url.password)
    return (user === "") === (password === "")
  } catch {
    return false
  }
}

const address = Leaf.text("an address, as in alerts@example.com", isAddress)

const ofHost = ["port", "secure", "user", "password"]

const email = object({
  host: optional(Leaf.text("the name of a server", (text) => /^[^\s/@]+$/.test(text)), "Of the SMTP server."),
  port: optional(Leaf.whole(1, 65_535), "465 where `secure` is true, 587 otherwise, unless set."),
  secure: optional(
    Leaf.flag,
    "Whether it is TLS from the beginning, and not after STARTTLS. True on port 465, false otherwise, unless set."
  ),
  user: optional(Leaf.text("the name of a user"), "Of the SMTP server."),
  password: optional(Leaf.secret("a password, in quotes where it is a number"), "Of the user."),
  url: optional(
    Leaf.secret("an address as in smtps://user:password@host, with the password percent-encoded", isSmtp),
    "In place of `host`, as in `smtps://user:password@host`."
  ),
  from: required(
    Leaf.text("an address, as in alerts@example.com", (text) => !text.includes(",") && isAddress(text)),
    "Who writes."
  ),
  to: required(oneOrMore(address), "One address, several with commas between them, or a list."),
  subjectPrefix: optional(Leaf.text("text"), "What every subject begins with: `[production]`, say."),
  requireTls: optional(
    Leaf.flag,
    "Whether nothing is sent unless it is encrypted. True unless set, save where the server is the machine itself."
  ),
  tls: optional(
    object({
      rejectUnauthorized: optional(Leaf.flag, "Whether the server's certificate must be valid."),
      ca: optional(
        Leaf.text("a certificate as PEM", (text) => text.includes("-----BEGIN CERTIFICATE-----")),
        "The certificate of the authority that the server's is signed by, as PEM."
      )
    }),
    "How the server's certificate is looked at."
  ),
  ...sending
}, {
  keys: (input) => {
    const beside: Array<Mistake> = []
    if (("host" in input) === ("url" in input)) {
      beside.push({ path: [], expected: `exactly one of host and url${"host" in input ? ": there are both" : ""}` })
    }
    if ("url" in input && !("host" in input)) {
      const idle = ofHost.filter((key) => key in input)
      beside.push(...idle.map((key) => ({ path: [key], expected: "no such key beside url, which says it" })))
    } else if (("user" in input) !== ("password" in input)) {
      const there = "user" in input ? "user" : "password"
      beside.push({ path: [there], expected: "a user and a password, or neither" })
    }
    return beside
  }
})

// -----------------------------------------------------------------------------
// webhook
// -----------------------------------------------------------------------------

const isKey = (text: string): boolean => {
  if (text.trim() === "") return false
  if (!text.startsWith("whsec_")) return true
  const decoded = Base64.decode(text.slice("whsec_".length))
  return decoded._tag === "Success" && decoded.success.length > 0
}

// white space is part of a key that is free text
const key = Leaf.leaf<Redacted.Redacted<string>>({
  expected: "the key of the signature: text, or base64 after whsec_",
  json: Schema.String,
  parse: (input) => typeof input === "string" && isKey(input) ? Redacted.make(input) : undefined
})

const header = Leaf.leaf<Redacted.Redacted<string> | string>({
  expected: "the value of a header",
  json: Schema.String,
  parse: (input, ofVariable) =>
    typeof input !== "string" || !areHeaders({ x: input }) ? undefined : ofVariable ? Redacted.make(input) : input
})

const headers = record(header, (name) => areHeaders({ [name]: "x" }), "the name of a header")

// -----------------------------------------------------------------------------
// all
// -----------------------------------------------------------------------------

/** @internal */
export const channels = {
  slack: optional(
    channel(object({ webhookUrl: required(Leaf.webhookUrl, "Of an incoming webhook."), ...sending })),
    "An incoming webhook of Slack. `true`: of `SLACK_WEBHOOK_URL`."
  ),
  slackBot: optional(
    channel(object({
      token: required(token, "Of a bot with the scope `chat:write`: `xoxb-…`."),
      channel: required(Leaf.text("the id or the name of a channel"), "The channel's id, or its name."),
      threads: optional(Leaf.flag, "Whether the alerts of one run share a thread. They do unless this is false."),
      baseUrl: optional(Leaf.baseUrl, "Where the Web API is. `https://slack.com/api` unless set."),
      ...sending
    })),
    "A bot in Slack. `true`: of `SLACK_BOT_TOKEN` and `SLACK_CHANNEL`."
  ),
  discord: optional(
    channel(object({ webhookUrl: required(Leaf.webhookUrl, "Of a webhook."), ...sending })),
    "A webhook of Discord. `true`: of `DISCORD_WEBHOOK_URL`."
  ),
  discordBot: optional(
    channel(object({
      token: required(token, "The bot's, without `Bot ` before it."),
      channelId: required(Leaf.id("the id of a channel"), "Of a channel or a thread."),
      baseUrl: optional(Leaf.baseUrl, "`https://discord.com/api/v10` unless set."),
      ...sending
    })),
    "A bot in Discord. `true`: of `DISCORD_BOT_TOKEN` and `DISCORD_CHANNEL_ID`."
  ),
  teams: optional(
    channel(object({ webhookUrl: required(Leaf.webhookUrl, "Of a workflow."), ...sending })),
    "A workflow of Microsoft Teams. `true`: of `TEAMS_WEBHOOK_URL`."
  ),
  telegram: optional(
    channel(object({
      token: required(token, "Of the bot, from BotFather: `123456:ABC-DEF…`."),
      chatId: required(Leaf.id("the id of a chat, or the @name of a public one"), "The chat's id, or its `@name`."),
      messageThreadId: optional(Leaf.whole(1), "The topic, in a group that has topics."),
      silent: optional(
        oneOrMore(Leaf.oneOf(severities), 0),
        "Alerts that make no sound. `info` and `success` unless set."
      ),
      baseUrl: optional(Leaf.baseUrl, "Of a Bot API server of one's own. `https://api.telegram.org` unless set."),
      ...sending
    })),
    "A bot in Telegram. `true`: of `TELEGRAM_BOT_TOKEN` and `TELEGRAM_CHAT_ID`."
  ),
  email: optional(
    channel(email),
    "Mails over SMTP, which need the package `nodemailer`. `true`: of `SMTP_URL`, `ALERT_EMAIL_FROM` and `ALERT_EMAIL_TO`."
  ),
  pagerDuty: optional(
    channel(object({
      routingKey: required(
        Leaf.token("an integration key"),
        "The integration key of an \"Events API v2\" integration."
      ),
      component: optional(
        Leaf.text("text"),
        "The part of the system that has failed. The path of the step unless set."
      ),
      group: optional(Leaf.text("text"), "What the pipeline belongs to."),
      source: optional(Leaf.text("text"), "The system that has failed, for alerts that come from no pipeline."),
      changeEvents: optional(
        Leaf.flag,
        "Whether alerts that are about no problem become change events. If not, they are dropped. True unless set."
      ),
      baseUrl: optional(Leaf.baseUrl, "`https://events.pagerduty.com` unless set."),
      ...sending
    })),
    "PagerDuty. `true`: of `PAGERDUTY_ROUTING_KEY`."
  ),
  ntfy: optional(
    channel(object({
      topic: required(
        Leaf.maybeSecret("a topic of up to 64 letters, digits, - and _", (text) => /^[-_A-Za-z0-9]{1,64}$/.test(text)),
        "Whoever knows it can read and write it: one from a variable is kept out of all that is shown."
      ),
      server: optional(Leaf.baseUrl, "`https://ntfy.sh` unless set."),
      token: optional(token, "An access token, where the server wants one."),
      ...sending
    })),
    "A topic of ntfy. `true`: of `NTFY_TOPIC`, `NTFY_SERVER` and `NTFY_TOKEN`."
  ),
  webhook: optional(
    channel(object({
      url: required(
        Leaf.secret("an address of http or https", Leaf.isHttp),
        "A user and a password in it are sent as a header."
      ),
      secret: optional(
        key,
        "The key of the signature: base64 after `whsec_`, or any text. Without it there is no signature."
      ),
      headers: optional(headers, "More headers. Those from variables are kept out of all that is shown."),
      maxBytes: optional(maxBytes, "How long a body may be. 100,000 bytes unless set."),
      // it shows times in UTC, whatever the zone
      ...attempts
    })),
    "Signed JSON, for a server of one's own. `true`: of `ALERT_WEBHOOK_URL` and `ALERT_WEBHOOK_SECRET`."
  ),
  console: optional(
    channel(object({
      colors: optional(Leaf.oneOf(["auto", "always", "never"]), "On a terminal (`auto`) unless set."),
      stream: optional(Leaf.oneOf(["stdout", "stderr"]), "`stdout` unless set."),
      timeZone: zone
    })),
    "The console."
  ),
  jsonLines: optional(
    channel(object({
      path: required(Leaf.text("the path of a file"), "The file, relative to the folder of this one."),
      maxBytes: optional(maxBytes, "How long a line may be. 512 KiB unless set.")
    })),
    "Lines of a file. `true`: of `ALERT_FILE`."
  ),
  none: optional(Leaf.yes("true"), "Drops alerts.")
}

/** @internal */
export type ChannelName = keyof typeof channels

/** @internal */
export const channelNames: ReadonlyArray<ChannelName> = [
  "slack",
  "slackBot",
  "discord",
  "discordBot",
  "teams",
  "telegram",
  "email",
  "pagerDuty",
  "ntfy",
  "webhook",
  "console",
  "jsonLines",
  "none"
]
