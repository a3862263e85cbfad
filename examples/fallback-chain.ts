/**
 * Slack; if that fails, a push message through ntfy, which says why; if that fails
 * too, the terminal. Critical alerts go to ntfy as well, whatever becomes of the first.
 *
 *     SLACK_WEBHOOK_URL=… NTFY_TOPIC=… bun examples/fallback-chain.ts
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { Ntfy, Slack } from "effect-epilogue/alerters"
import { fallback, fanOut, minSeverity } from "effect-epilogue/delivery"

const slack = Slack.layerConfig()
const push = Ntfy.layerConfig()

// both together must end before the hook that waits for them does, after 30 seconds
const soon = { after: "10 seconds" } as const

export const alerter = fanOut([
  slack.pipe(fallback(push, soon), fallback(Alerter.layerConsole, soon)),
  push.pipe(minSeverity("critical"))
], { succeeds: "any" })

const reindex = Step.make("reindex", Effect.fail("disk is full"))
const restore = Step.make("restore", Effect.fail("no backup")).pipe(
  Step.hooks(AlerterHooks.failureWith((alert) => alert.with({ severity: "critical" })))
)

export const program = Pipeline.make("search", Effect.catch(reindex, () => restore)).pipe(
  Pipeline.stepHooks(AlerterHooks.failure)
)

if (import.meta.main) {
  await Effect.runPromise(Effect.provide(program, alerter))
}
