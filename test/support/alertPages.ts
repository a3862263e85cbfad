/** Pages that show alerts as the reader of a mail, or of Teams, sees them. */
import { DateTime, Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { Email, Teams } from "../../src/alerters/index.ts"
import { type Alert, Alerter } from "../../src/index.ts"
import { channelServer } from "./channelServer.ts"
import { smtpServer } from "./smtpServer.ts"

const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")

/** The HTML of the mail about an alert. */
export const mailOf = (alert: Alert) =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
      Effect.provide(
        Email.layer({ host: "127.0.0.1", port: server.port, from: "a@example.com", to: "b@example.com", timeZone })
      )
    )
    const [mail] = yield* server.mails
    return String(mail!.html)
  })

/** The page of a host that renders cards by Microsoft's package, and breaks long words, as Teams does. */
export const cardOf = (alert: Alert) =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 202 })
    const webhookUrl = Redacted.make(`${server.url}/workflows/1?sig=x`)
    yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
      Effect.provide(Teams.layer({ webhookUrl, timeZone }))
    )
    const card = JSON.stringify(server.requests[0]!.json.attachments[0].content).replaceAll("<", "\\u003c")
    const script = readFileSync("node_modules/adaptivecards/dist/adaptivecards.min.js", "utf8")
    return `<!DOCTYPE html><meta charset="utf-8"><body style="margin:16px;font-family:sans-serif;overflow-wrap:anywhere"><script>${script}</script>
      <script>const card = new AdaptiveCards.AdaptiveCard(); card.parse(${card}); document.body.append(card.render())</script>`
  })
