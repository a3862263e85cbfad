/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import process from "node:process"
import { checked } from "../internal/model/options.ts"
import { flushed, print } from "../internal/text/writer.ts"
import { onUnload } from "./internal/ending.ts"
import { isHosted } from "./internal/hosted.ts"
import { run } from "./internal/main.ts"
import type { MainOptions } from "./MainOptions.ts"

const known: Record<keyof MainOptions, 0> = { grace: 0, requireAlerts: 0, disableErrorReporting: 0, keepAlive: 0 }

/**
 * Runs an effect as the whole of a script, on Bun, Deno and Node, and ends the process with the right exit code. When the
 * process is asked to stop, hooks and finalizers run, and what policies and mailboxes hold back is posted first.
 *
 * **When to use**
 *
 * As the last line of a script. `Effect.runPromise` does not listen to signals: Ctrl-C and SIGTERM then end the process
 * at once, and nobody is told. `NodeRuntime.runMain` of `@effect/platform-node` interrupts the effect, too, and is as good
 * where a program has it for other reasons; beyond it, this one
 *
 * - needs no package but `effect`,
 * - also stops the run on SIGHUP, SIGQUIT, and an error that nothing catches, so that its hooks tell of it,
 * - ends at once on a second signal, or when the {@link MainOptions.grace} is over,
 * - says so where something ends the process in a run, as `process.exit` or `Deno.exit` in a library does, and makes no success of it,
 * - ends a run that waits for what will never happen, in place of waiting for ever,
 * - prints a failure to standard error, without secrets and without what a terminal would obey,
 * - says which alerts did not arrive.
 *
 * `NodeRuntime.runMain` takes a `teardown` that decides on the exit code; here an error does, by `Runtime.errorExitCode`.
 *
 * **Details**
 *
 * | exit code     | when                                                                                           |
 * | ------------- | ---------------------------------------------------------------------------------------------- |
 * | 0             | the effect succeeded, or was skipped                                                           |
 * | 1             | it failed, and the error has no exit code of its own (`Runtime.errorExitCode`), an error that nothing catches has interrupted it, or `process.exit(0)` or `Deno.exit(0)` was called in a run |
 * | 3             | it succeeded, with `requireAlerts`, and an alert did not arrive                                |
 * | 13            | nothing was left that could end it                                                             |
 * | 130, 143, 129, 131 | it was interrupted, by SIGINT (Ctrl-C), SIGTERM, SIGHUP or SIGQUIT; 130 also where it interrupted itself |
 *
 * After a success the process goes on with what else keeps it alive, such as a server. In all other cases it ends as soon
 * as its output is written.
 *
 * **Gotchas**
 *
 * - A layer that is provided around a pipeline is built before the run begins: if it fails, the failure is printed, and no
 *   hook tells of it. `Pipeline.provide` builds it inside the run.
 * - A signal does not interrupt a durable run, which goes on at the next start: none of its hooks run, and the line that is
 *   printed at the signal names it.
 * - In a module that the command `epilogue` loads it runs nothing, and says so: the command runs the pipeline.
 * - A signal that comes when the last run has ended, while its layers are being closed, keeps the exit code of that run. It
 *   interrupts what the effect would do after that.
 * - A signal that comes again within 0.3 seconds counts once: `timeout`, shells and `npm` send one twice.
 * - Under `nohup` SIGHUP is ignored. On Deno this is noticed with `-A` alone; all else needs no permission.
 * - A listener of the program's own for `uncaughtException` or `unhandledRejection` comes first.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { runMain } from "effect-epilogue/main"
 *
 * const load = Step.make("load", Effect.sleep("1 hour"))
 *
 * const nightly = Pipeline.make("nightly", load).pipe(Pipeline.hooks(AlerterHooks.all))
 *
 * nightly.pipe(Effect.provide(Alerter.layerConsole), runMain)
 * ```
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { runMain } from "effect-epilogue/main"
 *
 * runMain(Effect.log("done"), { grace: "20 seconds", requireAlerts: true })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const runMain: {
  (options?: MainOptions): <A, E>(effect: Effect.Effect<A, E>) => void
  <A, E>(effect: Effect.Effect<A, E>, options?: MainOptions): void
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E>(effect: Effect.Effect<A, E>, options: MainOptions = {}): void => {
    const say = (text: string): void => Effect.runSync(print(text, "stderr"))
    if (isHosted()) {
      return say("runMain has run nothing: its module was loaded by the command epilogue, which runs pipelines itself")
    }
    run(effect, checked("runMain", options, known), {
      on: process.on.bind(process),
      off: process.off.bind(process),
      listenerCount: process.listenerCount.bind(process),
      exit: process.exit.bind(process),
      onUnload,
      print: say,
      flushed
    })
  }
)
