/**
 * A step that runs only after a person has approved it. The question is a page on this
 * machine; its link is printed here, and accepts one answer.
 *
 *     bun examples/approval.ts
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { WebPage } from "effect-epilogue/approvers"
import { runMain } from "effect-epilogue/main"

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
  Step.hooks(AlerterHooks.success) // the alert has a field "approved by"
)

export const program = Pipeline.make("release", Effect.flatMap(build, deploy))

if (import.meta.main) {
  // Slack, Discord and Telegram can ask too, with approvers of the same module
  runMain(Effect.provide(program, [WebPage.layer(), Alerter.layerConsole]))
}
