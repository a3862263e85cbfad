/** Defines, for each HTTP channel of a config file, another value for each of its keys and the request that shows it. */
import { Redacted } from "effect"
import type { Alert } from "../../src/index.ts"
import type { Reply } from "../support/channelServer.ts"
import { alert } from "./alerterSupport.ts"

interface Http {
  /** The options that the channel requires. */
  readonly needs: (url: string) => Readonly<Record<string, unknown>>
  readonly accepted: Reply
  /** Each key of the channel with another value, and a pattern of the request that shows it. */
  readonly keys: Readonly<
    Record<string, { readonly value?: (url: string) => unknown; readonly alert?: Alert; readonly seen: RegExp }>
  >
  /** The alert that is posted, unless a key has one. */
  readonly alert?: Alert
  /** Whether the channel shows times, in a time zone. */
  readonly zoned: boolean
}

const bySlack = { body: { ok: true, channel: "C1", ts: "1.0" } }
const aWebhook: Pick<Http, "needs" | "keys" | "zoned"> = {
  needs: (url) => ({ webhookUrl: `${url}/hooks/one` }),
  keys: { webhookUrl: { value: (url) => Redacted.make(`${url}/hooks/two`), seen: /^POST \/hooks\/two/ } },
  zoned: true
}

export const channels: Readonly<Record<string, Http>> = {
  slack: { ...aWebhook, accepted: { body: "ok" } },
  discord: { ...aWebhook, accepted: { status: 204 } },
  teams: { ...aWebhook, accepted: { status: 202 } },
  slackBot: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "xoxb-1", channel: "C1" }),
    accepted: bySlack,
    keys: {
      baseUrl: { value: (url) => `${url}/two/`, seen: /^POST \/two\/chat.postMessage/ },
      token: { value: () => Redacted.make("xoxb-2"), seen: /"authorization":"Bearer xoxb-2"/ },
      channel: { value: () => "#etl", seen: /"channel":"#etl"/ },
      // the second alert of the run is not a reply in a thread
      threads: { value: () => false, seen: /^(?!.*thread_ts)/s }
    },
    zoned: true
  },
  discordBot: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "t1", channelId: "1" }),
    accepted: { body: { id: "1", channel_id: "42" } },
    keys: {
      baseUrl: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two\/channels\/1\/messages/ },
      token: { value: () => "t2", seen: /"authorization":"Bot t2"/ },
      channelId: { value: () => 42, seen: /\/channels\/42\/messages/ }
    },
    zoned: true
  },
  googleChat: {
    needs: (url) => ({ webhookUrl: `${url}/one` }),
    accepted: { body: {} },
    keys: {
      webhookUrl: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two/ },
      threads: { value: () => false, seen: /^(?!.*threadKey)/ }
    },
    zoned: true
  },
  mattermost: {
    needs: (url) => ({ webhookUrl: `${url}/one` }),
    accepted: { body: "ok" },
    keys: {
      webhookUrl: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two/ },
      channel: { value: () => "nightly-etl", seen: /"channel":"nightly-etl"/ },
      username: { value: () => "epilogue", seen: /"username":"epilogue"/ }
    },
    zoned: true
  },
  rocketChat: {
    needs: (url) => ({ webhookUrl: `${url}/one` }),
    accepted: { body: { success: true } },
    keys: {
      webhookUrl: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two/ },
      channel: { value: () => "#nightly-etl", seen: /"channel":"#nightly-etl"/ },
      username: { value: () => "epilogue", seen: /"alias":"epilogue"/ }
    },
    zoned: true
  },
  matrix: {
    needs: (url) => ({ server: `${url}/one`, token: "t1", room: "!r:a.test" }),
    accepted: { body: { event_id: "$1" } },
    keys: {
      server: { value: (url) => `${url}/two`, seen: /^PUT \/two\/_matrix/ },
      token: { value: () => Redacted.make("t2"), seen: /"authorization":"Bearer t2"/ },
      room: { value: () => "!s:a.test", seen: /\/rooms\/!s%3Aa\.test\// },
      silent: { value: () => "error", seen: /"msgtype":"m\.notice"/ }
    },
    zoned: true
  },
  zulip: {
    needs: (url) => ({ server: `${url}/one`, email: "b@a.test", apiKey: "k1", channel: "ops" }),
    accepted: { body: { result: "success", id: 1 } },
    keys: {
      server: { value: (url) => `${url}/two`, seen: /^POST \/two\/api/ },
      email: { value: () => "c@a.test", seen: /"authorization":"Basic Y0BhLnRlc3Q6azE="/ },
      apiKey: { value: () => Redacted.make("k2"), seen: /"authorization":"Basic YkBhLnRlc3Q6azI="/ },
      channel: { value: () => 12, seen: /&to=12&/ },
      topic: { value: () => "night shift", seen: /&topic=night shift&/ }
    },
    zoned: true
  },
  gotify: {
    needs: (url) => ({ server: `${url}/one`, token: "t1" }),
    accepted: { body: { id: 1 } },
    keys: {
      server: { value: (url) => `${url}/two`, seen: /^POST \/two\/message/ },
      token: { value: () => Redacted.make("t2"), seen: /"x-gotify-key":"t2"/ },
      priorities: { value: () => ({ error: 9 }), seen: /"priority":9/ }
    },
    zoned: true
  },
  telegram: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "1:a", chatId: "@a" }),
    accepted: { body: { ok: true, result: { message_id: 1 } } },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/bot1:a\/sendMessage/ },
      token: { value: () => Redacted.make("2:b"), seen: /\/bot2:b\// },
      chatId: { value: () => -100123, seen: /"chat_id":"?-100123/ },
      messageThreadId: { value: () => Redacted.make("7"), seen: /"message_thread_id":7/ },
      silent: { value: () => "error", seen: /"disable_notification":true/ }
    },
    zoned: true
  },
  pagerDuty: {
    needs: (url) => ({ baseUrl: `${url}/one`, routingKey: "k1" }),
    accepted: { status: 202, body: {} },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/v2\/enqueue/ },
      routingKey: { value: () => Redacted.make("k2"), seen: /"routing_key":"k2"/ },
      component: { value: () => "loader", seen: /"component":"loader"/ },
      group: { value: () => "jobs", seen: /"group":"jobs"/ },
      source: {
        value: () => "box",
        alert: alert.with({ source: undefined }),
        seen: /"source":"box"/
      },
      // dropped
      changeEvents: { value: () => false, alert: alert.with({ severity: "info" }), seen: /^$/ }
    },
    zoned: true
  },
  opsgenie: {
    needs: (url) => ({ baseUrl: `${url}/one`, apiKey: "k1" }),
    accepted: { status: 202, body: {} },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/v2\/alerts/ },
      apiKey: { value: () => Redacted.make("k2"), seen: /"authorization":"GenieKey k2"/ },
      teams: { value: () => "data", seen: /"responders":\[{"type":"team","name":"data"}\]/ },
      priorities: { value: () => ({ error: "P4" }), seen: /"priority":"P4"/ },
      // dropped
      notes: { value: () => false, alert: alert.with({ severity: "info" }), seen: /^$/ }
    },
    zoned: true
  },
  sentry: {
    needs: (url) => ({ dsn: `${url.replace("//", "//key1@")}/one/1` }),
    accepted: { body: { id: "x" } },
    keys: {
      dsn: {
        value: (url) => Redacted.make(`${url.replace("//", "//key2@")}/two/2`),
        seen: /^POST \/two\/api\/2\/envelope\/ .*sentry_key=key2"/
      },
      environment: { value: () => "staging", seen: /"environment":"staging"/ },
      release: { value: () => "jobs@1.2", seen: /"release":"jobs@1.2"/ },
      tags: { value: () => ({ team: "data", env: Redacted.make("prod") }), seen: /"team":"data","env":"prod"/ },
      // dropped
      notes: { value: () => false, alert: alert.with({ severity: "info" }), seen: /^$/ },
      recoveries: { value: () => true, alert: alert.with({ severity: "success" }), seen: /"level":"info"/ }
    },
    zoned: true
  },
  alertmanager: {
    needs: (url) => ({ url: `${url}/one` }),
    accepted: {},
    keys: {
      url: { value: (url) => Redacted.make(`${url}/two, ${url}/two/`), seen: /^POST \/two\/api\/v2\/alerts/ },
      token: { value: () => Redacted.make("t1"), seen: /"authorization":"Bearer t1"/ },
      basicAuth: { value: () => "jobs:a b", seen: /"authorization":"Basic am9iczphIGI="/ },
      alertname: { value: () => "Jobs", seen: /"alertname":"Jobs"/ },
      labels: { value: () => ({ team: "data", env: Redacted.make("prod") }), seen: /"team":"data","env":"prod"/ },
      // of a thousand years, until the year 2126
      resolveAfter: { value: () => "365000 days", seen: /"endsAt":"21\d\d-/ },
      // dropped
      notes: { value: () => false, alert: alert.with({ severity: "info" }), seen: /^$/ }
    },
    zoned: true
  },
  ntfy: {
    needs: (url) => ({ server: `${url}/one`, topic: "t1" }),
    accepted: { body: {} },
    keys: {
      server: { value: (url) => `${url}/two`, seen: /^POST \/two\// },
      topic: { value: () => Redacted.make("t2"), seen: /"topic":"t2"/ },
      token: { value: () => Redacted.make("tk_1"), seen: /"authorization":"Bearer tk_1"/ }
    },
    zoned: true
  },
  pushover: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "t1", user: "u1" }),
    accepted: { body: { status: 1 } },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/1\/messages\.json/ },
      token: { value: () => Redacted.make("t2"), seen: /token=t2&/ },
      user: { value: () => Redacted.make("u2"), seen: /user=u2&/ },
      device: { value: () => "phone,tablet", seen: /device=phone,tablet/ },
      sound: { value: () => "siren", seen: /sound=siren/ },
      priorities: { value: () => ({ error: -2 }), seen: /priority=-2/ },
      retry: { value: () => "2 minutes", alert: alert.with({ severity: "critical" }), seen: /retry=120/ },
      expire: { value: () => 600, alert: alert.with({ severity: "critical" }), seen: /expire=600/ }
    },
    zoned: true
  },
  twilio: {
    needs: (url) => ({
      baseUrl: `${url}/one`,
      accountSid: "AC1",
      authToken: "t1",
      from: "+15557122661",
      to: ["+15558675310"]
    }),
    accepted: { status: 201, body: { status: "queued" } },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/2010-04-01\/Accounts\/AC1\/Messages\.json/ },
      accountSid: { value: () => "AC2", seen: /\/Accounts\/AC2\// },
      authToken: { value: () => Redacted.make("t2"), seen: /"authorization":"Basic QUMxOnQy"/ },
      apiKey: { value: () => "SK1", seen: /"authorization":"Basic U0sxOnQx"/ },
      from: { value: () => "Jobs", seen: /From=Jobs&/ },
      to: { value: () => Redacted.make("+15550001, +15550002"), seen: /To=\+15550002&/ },
      maxSegments: { value: () => 1, alert: alert.with({ body: "x".repeat(500) }), seen: /\nx{50,120}\.\.\./ }
    },
    zoned: true
  },
  apprise: {
    needs: (url) => ({ url: `${url}/one` }),
    accepted: { status: 200, body: { error: null, details: [] } },
    keys: {
      url: { value: (url) => `${url}/two/`, seen: /^POST \/two\/notify / },
      key: { value: () => Redacted.make("k-1"), seen: /^POST \/one\/notify\/k-1 / },
      urls: { value: () => "json://a.test form://b.test", seen: /"urls":"json:\/\/a.test form:\/\/b.test"/ },
      tag: { value: () => "ops", seen: /"tag":"ops"/ },
      basicAuth: { value: () => "jobs:a b", seen: /"authorization":"Basic am9iczphIGI="/ },
      maxLength: { value: () => 300, alert: alert.with({ body: "x".repeat(1000) }), seen: /x{200}…/ }
    },
    zoned: true
  },
  gitHubIssues: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "t1", repository: "acme/etl" }),
    accepted: { status: 201, body: { number: 1 } },
    // with a key it would look for an issue first
    alert: alert.with({ dedupeKey: undefined, detail: "x".repeat(2000) }),
    keys: {
      baseUrl: { value: (url) => `${url}/two/`, seen: /^POST \/two\/repos\/acme\/etl\/issues / },
      token: { value: () => Redacted.make("t2"), seen: /"authorization":"Bearer t2"/ },
      repository: { value: () => "acme/jobs", seen: /^POST \/one\/repos\/acme\/jobs\/issues / },
      label: { value: () => "alert", seen: /"labels":\["alert"\]/ },
      labels: { value: () => "bug", seen: /"labels":\["epilogue","bug"\]/ },
      assignees: { value: () => ["ada", "bob"], seen: /"assignees":\["ada","bob"\]/ },
      notes: { value: () => true, alert: alert.with({ dedupeKey: undefined, severity: "info" }), seen: /"title"/ }
    },
    zoned: true
  },
  webhook: {
    needs: (url) => ({ url: `${url}/one` }),
    accepted: { status: 204 },
    keys: {
      url: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two/ },
      secret: {
        value: () => Redacted.make("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        seen: /"webhook-signature":"v1,/
      },
      headers: {
        value: () => ({ authorization: Redacted.make("Bearer x"), "x-team": "data" }),
        seen: /"authorization":"Bearer x".*"x-team":"data"/
      },
      maxBytes: { value: () => 900, seen: /left out/ }
    },
    zoned: false
  }
}
