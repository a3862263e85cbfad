import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { decode, issues, smtp } from "./alerterSupport.ts"

const it = makeIt(test)

/** Invalid alerters with their issues: the place of each, and part of its message. */
const invalid: ReadonlyArray<readonly [input: unknown, ...issues: ReadonlyArray<readonly [at: string, RegExp]>]> = [
  // exactly one base
  [{}, ["", /exactly one of slack, .*; there is none/]],
  [{ slack: true, console: true }, ["", /there are slack and console$/]],
  [{ use: "slack", fanOut: ["console"] }, ["", /there are use and fanOut$/]],
  // keys that need another base
  [{ console: true, succeeds: "any" }, ["succeeds", /only beside fanOut/]],
  [{ fanOut: ["console"], after: 5, cooldown: 5, otherwise: "none" }, ["after", /fallback/], ["cooldown", /fallback/], [
    "otherwise",
    /route/
  ]],
  [{ route: [{ when: { tag: "x" }, to: "none" }] }, ["otherwise", /alerts that match no route/]],
  // lists that are too short, and invalid items
  [{ fanOut: [] }, ["fanOut", /list of alerters/]],
  [{ fallback: ["console"] }, ["fallback", /two alerters or more/]],
  [{ route: [], otherwise: "none" }, ["route", /list of routes/]],
  [{ route: [{}], otherwise: "none" }, ["route.0.when", /severity, atLeast/], ["route.0.to", /./]],
  [{ route: [{ when: {}, to: "none" }], otherwise: "none" }, ["route.0.when", /one of severity/]],
  [{ route: [{ when: { severity: "info", atLeast: "error" }, to: "none" }], otherwise: "none" }, [
    "route.0.when.severity",
    /at least atLeast/
  ]],
  [{ route: [{ when: { tag: [] }, to: "none" }], otherwise: "none" }, ["route.0.when.tag", /at least 1/]],
  [{ fanOut: ["console", { slack: {} }, "pigeon"] }, ["fanOut.1.slack.webhookUrl", /an address of http/], [
    "fanOut.2",
    /one of slack, /
  ]],
  // values of other types
  [null, ["", /one of slack, .* or a map/]],
  [[], ["", /one of slack/]],
  [Redacted.make("./alerter.ts#layer"), ["", /path#export/]],
  [{ slack: null }, ["slack", /true, for options from the environment, or a map/]],
  [{ slack: Redacted.make(canary) }, ["slack", /true/]],
  [{ email: { host: "h", ...smtp, tls: Redacted.make("x") } }, ["email.tls", /"required", "opportunistic" or "none"/]],
  // unknown keys
  [{ console: true, dedup: "1 hour" }, ["dedup", /one of the keys .*dedupe/]],
  [{ slack: { webhookUrl: "https://a.test", url: "x" } }, ["slack.url", /one of the keys webhookUrl, /]],
  [{ webhook: { url: "https://a.test", timeZone: "UTC", render: "x" } }, ["webhook.timeZone", /keys/], [
    "webhook.render",
    /keys/
  ]],
  // several issues at once, at every depth
  [
    { slack: { webhookUrl: "x", retries: -1 }, teams: true, dedupe: "soon", throttle: { limit: 0 } },
    ["", /exactly one/],
    [
      "slack.webhookUrl",
      /address/
    ],
    ["slack.retries", /at least 0/],
    ["dedupe", /duration/],
    ["throttle.limit", /at least 1/],
    [
      "throttle.window",
      /duration/
    ]
  ],
  // channels
  [{ slack: { webhookUrl: "ftp://a.test" } }, ["slack.webhookUrl", /http/]],
  [{ slackBot: { token: "a b", channel: " ", threads: "no" } }, ["slackBot.token", /without spaces/], [
    "slackBot.channel",
    /channel/
  ], ["slackBot.threads", /true or false/]],
  [{ discordBot: { token: "t", channelId: 2 ** 60 } }, ["discordBot.channelId", /in quotes/]],
  [{ telegram: { token: "t", chatId: "1", silent: ["loud"], messageThreadId: 0 } }, [
    "telegram.messageThreadId",
    /at least 1/
  ], ["telegram.silent.0", /"info", "success", /]],
  [{ pagerDuty: { routingKey: 5, baseUrl: "https://u:p@a.test" } }, ["pagerDuty.routingKey", /key/], [
    "pagerDuty.baseUrl",
    /without a user/
  ]],
  [
    { opsgenie: { apiKey: "a b", baseUrl: "x", teams: [1], priorities: { error: "P9", fatal: "P1" } } },
    [
      "opsgenie.apiKey",
      /without spaces/
    ],
    ["opsgenie.baseUrl", /http/],
    ["opsgenie.teams.0", /name of a team/],
    ["opsgenie.priorities.error", /"P5"/],
    [
      "opsgenie.priorities.fatal",
      /one of the keys info/
    ]
  ],
  [
    { sentry: { dsn: "https://a.test/1", environment: "a b", release: "a\nb", tags: { "a b": "c" }, notes: 1 } },
    [
      "sentry.dsn",
      /a DSN/
    ],
    ["sentry.environment", /without spaces/],
    ["sentry.release", /line ends/],
    ["sentry.tags.a b", /name of a tag/],
    [
      "sentry.notes",
      /true or false/
    ]
  ],
  [
    { alertmanager: { url: "http://a.test x", basicAuth: "jobs", labels: { "a-b": "x", c: 1 } } },
    [
      "alertmanager.url",
      /or several/
    ],
    ["alertmanager.basicAuth", /user:password/],
    ["alertmanager.labels.a-b", /name of a label/]
  ],
  [{ alertmanager: { url: ["http://a.test", "http://u:p@b.test"], token: "t", basicAuth: "u:p" } }, [
    "alertmanager.basicAuth",
    /either token or basicAuth/
  ], ["alertmanager.url.1", /without a user/]],
  [{ alertmanager: { url: [] } }, ["alertmanager.url", /at least 1/]],
  [{ googleChat: { webhookUrl: "chat", threads: 1 } }, ["googleChat.webhookUrl", /an address of http/], [
    "googleChat.threads",
    /true or false/
  ]],
  [{ mattermost: { webhookUrl: "x", channel: " " } }, ["mattermost.webhookUrl", /an address of http/], [
    "mattermost.channel",
    /name of a channel/
  ]],
  [{ rocketChat: { webhookUrl: "x", channel: " " } }, ["rocketChat.webhookUrl", /an address of http/], [
    "rocketChat.channel",
    /#name/
  ]],
  [{ matrix: { server: "x", token: "a b", room: "ops" } }, ["matrix.server", /http/], [
    "matrix.token",
    /without spaces/
  ], [
    "matrix.room",
    /alias/
  ]],
  [{ zulip: { server: "x", email: "a", apiKey: "a b", channel: "ops" } }, ["zulip.server", /http/], [
    "zulip.email",
    /email of a bot/
  ], [
    "zulip.apiKey",
    /without spaces/
  ]],
  [{ gotify: { server: "x", token: "a b", priorities: { error: 11 } } }, ["gotify.server", /http/], [
    "gotify.token",
    /without spaces/
  ], [
    "gotify.priorities.error",
    /0 to 10/
  ]],
  [{ ntfy: { topic: "a/b", server: "x" } }, ["ntfy.topic", /topic/], ["ntfy.server", /http/]],
  [
    { pushover: { token: "a b", user: "-", priorities: { error: 3 }, retry: 5, expire: "4 hours", sound: "a b" } },
    [
      "pushover.token",
      /token of an application/
    ],
    ["pushover.user", /key of a user/],
    ["pushover.priorities.error", /from -2 to 2/],
    [
      "pushover.retry",
      /at least 30 seconds/
    ],
    ["pushover.expire", /at most 3 hours/],
    ["pushover.sound", /sound/]
  ],
  [
    { twilio: { accountSid: "x", authToken: "a b", apiKey: "AC1", from: 1, to: 15558675310, maxSegments: 11 } },
    [
      "twilio.accountSid",
      /begins with AC/
    ],
    ["twilio.authToken", /without spaces/],
    ["twilio.apiKey", /begins with SK/],
    ["twilio.from", /in quotes/],
    [
      "twilio.to",
      /in quotes/
    ],
    ["twilio.maxSegments", /from 1 to 10/]
  ],
  [{ twilio: { accountSid: "AC1", authToken: "t", from: "Jobs", to: ["+1555 867"] } }, [
    "twilio.to.0",
    /\+15558675310/
  ]],
  [
    { apprise: { url: "x", key: "a/b", urls: "json://a.test", basicAuth: "jobs", maxLength: 1 } },
    [
      "apprise.url",
      /http/
    ],
    ["apprise.key", /letters/],
    ["apprise.urls", /either key or urls/],
    ["apprise.basicAuth", /user:password/],
    [
      "apprise.maxLength",
      /at least 100/
    ]
  ],
  [{ apprise: { url: "http://a.test", urls: "a.test" } }, ["apprise.urls", /mailto/]],
  [
    { gitHubIssues: { token: "a b", repository: "etl", label: "a,b", assignees: ["a b"], baseUrl: "x" } },
    [
      "gitHubIssues.token",
      /without spaces/
    ],
    ["gitHubIssues.repository", /owner\/name/],
    ["gitHubIssues.label", /50 characters/],
    [
      "gitHubIssues.assignees.0",
      /a login/
    ],
    ["gitHubIssues.baseUrl", /http/]
  ],
  [
    { webhook: { url: "x", secret: "whsec_!", headers: { c: "\n\u0000" }, maxBytes: 0.5 } },
    [
      "webhook.url",
      /http/
    ],
    ["webhook.secret", /whsec_/],
    ["webhook.headers.c", /value of a header/],
    ["webhook.maxBytes", /whole/]
  ],
  [{ webhook: { url: "https://a.test", headers: { "a b": "x" } } }, ["webhook.headers.a b", /name of a header/]],
  [{ email: smtp }, ["email", /exactly one of host and url/]],
  [{ email: { host: "h", url: "smtp://h", ...smtp } }, ["email", /there are both/]],
  [{ email: { url: "smtp://h", user: "u", port: 5, ...smtp } }, ["email.port", /beside url/], ["email.user", /url/]],
  [{ email: { host: "h", user: "u", ...smtp } }, ["email.user", /and a password/]],
  [{ email: { host: "h", port: 70_000, from: "x", to: [] } }, ["email.port", /65535/], ["email.from", /address/], [
    "email.to",
    /at least 1/
  ]],
  [{ email: { url: "https://h", ...smtp, ca: "x" } }, ["email.url", /smtps:/], ["email.ca", /PEM/]],
  [{ email: { host: "h", ...smtp, secure: true, tls: "none" } }, ["email.tls", /begins with the connection/]],
  [{ email: { host: "h", ...smtp, maxConnections: 0, messagesPerConnection: 1.5 } }, ["email.maxConnections", /1/], [
    "email.messagesPerConnection",
    /1/
  ]],
  [{ console: { colors: true, stream: "file", timeZone: "Mars/Olympus" } }, ["console.colors", /auto/], [
    "console.stream",
    /stdout/
  ], ["console.timeZone", /IANA/]],
  [{ discordBot: { token: "t", channelId: "\ud800" } }, ["discordBot.channelId", /id/]],
  [{ jsonLines: { path: "a\u0000b" } }, ["jsonLines.path", /path/]],
  [{ jsonLines: {} }, ["jsonLines.path", /path of a file/]],
  [{ none: {} }, ["none", /true/]],
  // policies
  [{ console: true, runUrl: "https://x.example/{run}" }, [
    "runUrl",
    /\{pipeline\}, \{runId\}, \{runName\} and \{step\}/
  ]],
  [{ console: true, runUrl: "logs.example/{runId}" }, ["runUrl", /a URL of http or https/]],
  [{ console: true, minSeverity: "bad" }, ["minSeverity", /"info", "success", "warning", "error" or "critical"/]],
  [{ console: true, afterConsecutive: { persist: "x" } }, ["afterConsecutive.n", /at least 1/]],
  [{ console: true, dedupe: -1 }, ["dedupe", /above 0/]],
  [{ console: true, digest: "Infinity" }, ["digest", /duration/]],
  [{ console: true, digest: { window: 5, immediate: "info" } }, ["digest.immediate", /Expected "success", /]],
  [{ console: true, throttle: 5 }, ["throttle", /limit, window/]],
  [{ console: true, throttle: { limit: 1, window: 1, perKey: { limit: 1 } } }, ["throttle.perKey.window", /duration/]],
  [{ console: true, quietHours: { from: "25:00", to: 420 } }, ["quietHours.from", /"00:00" to "23:59"/], [
    "quietHours.to",
    /in quotes/
  ]],
  [{ console: true, quietHours: { from: "22:00", to: "22:00" } }, ["quietHours.to", /a time other than from/]],
  [{ console: true, quietHours: [{ from: "00:00", to: "24:00" }] }, ["quietHours.0.to", /quiet hours that end/]],
  [{ console: true, quietHours: { from: "1:00", to: "2:00", days: "caturday" } }, ["quietHours.days", /monday/]],
  [{ console: true, recovered: { successes: "keep" } }, ["recovered.successes", /"post" or "drop"/]],
  [{ fanOut: [{ console: true, recovered: true }], minSeverity: "error" }, ["fanOut.0.recovered", /successes: drop/]],
  [{ console: true, remind: { until: 3 } }, ["remind.every", /duration/]],
  [{ console: true, remind: { every: 5, until: "noon", announce: 1 } }, [
    "remind.until",
    /a whole number of at least 1, or a duration such as "2 days"/
  ], ["remind.announce", /true or false/]],
  [{ console: true, remind: { every: 5, until: 0.5 } }, ["remind.until", /whole number/]],
  [{ console: true, remind: { every: "1 hour", until: "59 minutes" } }, ["remind.until", /as long as every/]],
  [{ console: true, escalate: { to: "pigeon" } }, ["escalate.after", /duration/], ["escalate.to", /one of slack/]],
  [{ console: true, escalate: { after: 5, to: { console: true, escalate: { after: 0 } } } }, [
    "escalate.to.escalate.after",
    /above 0/
  ], ["escalate.to.escalate.to", /./]],
  [{ console: true, escalate: { after: 5, to: "console", persist: "x" } }, ["escalate.persist", /a store/]],
  [{
    store: "x",
    console: true,
    remind: { every: 5, persist: "a" },
    escalate: { after: 5, to: { console: true, remind: { every: 5, persist: "a" } } }
  }, ["escalate.to.remind.persist", /no other such policy/]],
  // stores
  [{ console: true, store: "x" }, ["store", /a policy with a state/]],
  [{ console: true, dedupe: 5, store: "postgres://me:secret@db/x" }, ["store", /the path of a file, which begins/]],
  [{ console: true, dedupe: { window: 5, persist: "x" } }, ["dedupe.persist", /a store/]],
  [{ console: true, dedupe: { window: 5, persist: false } }, ["dedupe.persist", /a store/]],
  [{ console: true, store: "x", dedupe: { window: 5, persist: "../x" } }, ["dedupe.persist", /letters/]],
  [{
    store: "x",
    fanOut: [{ console: true, dedupe: { window: 5, persist: "a" } }, {
      console: true,
      dedupe: { window: 5, persist: "a" }
    }]
  }, ["fanOut.1.dedupe.persist", /no other such policy/]]
]

it.effect("all issues with an alerter are reported at once, with their places", () =>
  Effect.gen(function*() {
    for (const [input, ...expected] of invalid) {
      const found = yield* issues(input)
      const shown = JSON.stringify(input)
      assert.deepEqual(
        found.map((issue) => issue.slice(0, issue.indexOf(": "))).toSorted(),
        expected.map(([at]) => at).toSorted(),
        `${shown}: ${found.join("; ")}`
      )
      for (const [at, words] of expected) {
        const issue = found.find((issue) => issue.startsWith(`${at}: Expected `))
        assert.match(issue ?? "", words, shown)
      }
    }
  }))

const secret = `${canary} ${canary}`

it.effect("no issue quotes a value that may be a secret, or a value from a variable", () =>
  Effect.gen(function*() {
    const secrets: ReadonlyArray<unknown> = [
      secret,
      { slack: secret },
      { slack: [secret] },
      { webhook_url: secret, console: true },
      { slack: { webhookUrl: secret } },
      { slack: { webhookUrl: { url: secret } } },
      { discord: { webhookUrl: Redacted.make(secret), timeout: Redacted.make(secret) } },
      { teams: { webhookUrl: [secret] } },
      { slackBot: { token: secret, channel: "c", tokn: secret } },
      { discordBot: { token: Redacted.make(secret), channelId: Redacted.make("") } },
      { telegram: { token: secret, chatId: "x", silent: Redacted.make(secret) } },
      { pagerDuty: { routingKey: secret } },
      { opsgenie: { apiKey: `${secret} `, baseUrl: secret, priorities: { error: secret } } },
      { sentry: { dsn: secret, environment: `${secret} `, release: `${secret}\n` } },
      { alertmanager: { url: secret, basicAuth: Redacted.make(secret), token: `${secret} ` } },
      { googleChat: { webhookUrl: secret } },
      { mattermost: { webhookUrl: secret } },
      { rocketChat: { webhookUrl: secret } },
      { matrix: { server: secret, token: `${secret} `, room: Redacted.make(secret) } },
      { zulip: { server: secret, email: secret, apiKey: `${secret} `, channel: "ops" } },
      { gotify: { server: secret, token: `${secret} ` } },
      { ntfy: { topic: secret, token: secret } },
      { pushover: { token: `${secret} `, user: `${secret}-`, sound: `${secret} ` } },
      { twilio: { accountSid: secret, authToken: `${secret} `, from: Redacted.make(""), to: secret } },
      { apprise: { url: secret, key: `${secret}/`, urls: secret, basicAuth: secret } },
      { gitHubIssues: { token: `${secret} `, repository: secret, label: `${secret},` } },
      { webhook: { url: secret, secret: `whsec_${secret}!`, headers: { authorization: `${secret}\u0000` } } },
      { email: { url: secret, ...smtp } },
      { email: { host: "h", password: secret, port: Redacted.make(secret), ...smtp } },
      { console: true, minSeverity: Redacted.make(secret), dedupe: Redacted.make(secret) }
    ]
    for (const input of secrets) {
      const exit = yield* Effect.exit(decode(input))
      assert.ok(exit._tag === "Failure", JSON.stringify(input))
      assert.deepEqual(leaks([exit, exit.cause, yield* issues(input)]), [])
    }
  }))
