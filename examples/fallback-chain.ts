/**
 * Posts alerts to Slack. If that fails, to ntfy as a push message that says why, and if that fails too, to the
 * terminal. Critical alerts always go to ntfy as well.
 *
 *     SLACK_WEBHOOK_URL=… NTFY_TOPIC=… bun examples/fallback-chain.ts
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { Ntfy, Slack } from "effect-epilogue/alerters"
import { fallback, fanOut, minSeverity } from "effect-epilogue/delivery"
import { runMain } from "effect-epilogue/main"

const slack = Slack.layerConfig()
const push = Ntfy.layerConfig()

// Two time limits of 10 seconds end before the time limit of the hook that waits for the chain: 30 seconds.
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
  runMain(Effect.provide(program, alerter))
}
