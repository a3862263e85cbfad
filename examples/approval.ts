/**
 * A step that runs only when somebody said yes. The question is a page on this
 * machine; its link is printed here, and good for one answer.
 *
 *     bun examples/approval.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { WebPage } from "effect-epilogue/approvers"

const build = Step.make("build", Effect.succeed("v1.4.0"))

const deploy = Step.fn("deploy")(
  (version: string) => Effect.log(`deploying ${version}`),
  (step, version) =>
    Step.requireApproval(step, {
      title: `Deploy ${version} to production?`,
      body: "All tests have passed.",
      options: { approve: "Deploy", deny: "Not now" },
      timeout: "10 minutes"
    }),
  Step.onFailureTag("NotApproved", ({ message }) => Effect.log(`not deployed: ${message}`)),
  Step.hooks(AlerterHooks.success) // with "approved by" among its fields
)

export const program = Pipeline.make("release", Effect.flatMap(build, deploy))

if (import.meta.main) {
  // Slack, Discord and Telegram can ask too: Slack.layerConfig() of the same module
  NodeRuntime.runMain(Effect.provide(program, [WebPage.layer(), Alerter.layerConsole]))
}
