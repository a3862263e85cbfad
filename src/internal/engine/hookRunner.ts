/** Runs hooks: isolated, under a time limit, in order. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type { HookImpl, Kind, Occasion } from "../model/hook.ts"
import { HookError } from "../model/hookError.ts"
import type { Planned } from "../model/plan.ts"
import type { Guard } from "../model/secrets.ts"
import { returnedNoEffect } from "../text/noEffect.ts"
import * as Writer from "../text/writer.ts"
import type { Evaluation, HookEnd } from "./evaluation.ts"
import { onItsWay, whenEnded } from "./hookLimits.ts"
import { runNow } from "./immediate.ts"
import type { RequiredFailures } from "./outcome.ts"
import type { Pending } from "./pending.ts"
import { hookSpan } from "./spans.ts"

// attributes are given as it is made: `Metric.withAttributes` would load more
const failuresOf = ({ kind, name }: HookImpl, guard: Guard | undefined): Metric.Counter<number> =>
  Metric.counter("epilogue_hook_failures_total", {
    description: "Hooks that failed, died or timed out",
    attributes: { hook: guard?.text(name) ?? name, kind },
    incremental: true
  })

/**
 * Runs hooks one after another. Where each of them ends at once without a failure, as most do, this only calls them
 * and returns `undefined`, which spares the fiber an Effect.
 */
export const runAllNow = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion,
  from = 0
): Effect.Effect<unknown> | undefined => {
  for (let i = from; i < hooks.length; i++) {
    if (evaluation.leavesOut(hooks[i]!.hook)) continue
    const pending = evaluation.keeper.hook(evaluation, hooks[i]!, occasion)
    if (pending !== undefined) {
      return i + 1 === hooks.length ? pending : thenRest(pending, evaluation, hooks, occasion, i + 1)
    }
  }
  return undefined
}

/** Apart, as engines make room for the variables of closures when a function is called that has some. */
const thenRest = (
  pending: HookEnd,
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion,
  from: number
): Effect.Effect<unknown> => Effect.flatMap(pending, () => runAllNow(evaluation, hooks, occasion, from) ?? Effect.void)

/** {@link runAllNow} for a caller that needs an Effect in any case. */
export const runAll = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<unknown> => runAllNow(evaluation, hooks, occasion) ?? Effect.void

const runUnlessLeftOut = (evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd =>
  (evaluation.leavesOut(planned.hook) ? undefined : evaluation.keeper.hook(evaluation, planned, occasion)) ??
    Effect.undefined

/** Runs hooks one after another, and returns the errors of the required ones that fail. */
export const runRequired = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<RequiredFailures> =>
  Effect.suspend(() => {
    let failed: RequiredFailures
    return Effect.map(
      Effect.forEach(hooks, (planned) =>
        Effect.map(runUnlessLeftOut(evaluation, planned, occasion), (cause) => {
          if (cause === undefined || !planned.hook.required) {
            return
          }
          const error = Cause.fail(
            new HookError({
              hook: planned.hook.name,
              kind: planned.hook.kind,
              pipelineName: evaluation.run.pipelineName,
              stepName: evaluation.label,
              cause: Cause.squash(cause)
            })
          )
          failed = failed === undefined ? error : Cause.combine(failed, error)
        }), { discard: true }),
      () => failed
    )
  })

const kindsAfter: ReadonlySet<Kind> = new Set(["success", "failure", "interrupt", "exit"])

/** Runs a hook in memory, and reports it. `undefined` means that it has ended without a failure. */
export const runHook = (evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd | undefined => {
  const { telling } = evaluation.run
  const since = telling?.hookSince(evaluation)
  const started = start(evaluation, planned, occasion)
  if ("addObserver" in started) return awaitHook(evaluation, planned, started, since)
  if (started._tag === "Success" && telling === undefined) return undefined
  return report(evaluation, planned, started, since)
}

/** Waits for a hook that did not end at once, unless it is to run in the background, and reports its end. */
const awaitHook = (
  evaluation: Evaluation,
  planned: Planned,
  started: Pending,
  since: number | undefined
): HookEnd | undefined => {
  const { fiber, run } = evaluation
  const limits = run.limits(fiber)
  // one reading of the clock for both: the end of the body, and the start of the hook's time
  const now = limits.watchdog.now()
  if (kindsAfter.has(planned.hook.kind)) evaluation.endBody(limits.watchdog.clock === run.clock ? now * 1e6 : undefined)
  run.telling?.hookStarted(evaluation, planned)
  const supervised: HookEnd = Effect.callback((resume) => {
    whenEnded(planned.hook, started, fiber.id, limits, now, (exit) =>
      resume(
        exit._tag === "Success" && exit.value !== onItsWay && run.telling === undefined
          ? Effect.undefined
          : Effect.suspend(() => report(evaluation, planned, exit, since) ?? Effect.undefined)
      ))
  })
  return planned.hook.background ? runInBackground(evaluation, planned, supervised) : supervised
}

const applying = (evaluation: Evaluation, hook: HookImpl) => () => evaluation.apply(hook)

/**
 * Starts a hook, on a fiber of its own unless it is a single call, and returns its exit if it has ended. A hook that does
 * not wait for anything needs no timer then, and one that exceeds its time limit can be abandoned.
 */
export const start = (
  evaluation: Evaluation,
  { decides, hook }: Planned,
  occasion: Occasion,
  context: Context.Context<never> = evaluation.hookContextOf(hook)
): Exit.Exit<unknown, unknown> | Pending => {
  let effect: Effect.Effect<unknown, unknown, unknown>
  try {
    effect = hook.run(occasion, evaluation.hookView, decides ? applying(evaluation, hook) : undefined)
  } catch (defect) {
    effect = Exit.die(defect)
  }
  const traced = hookSpan(evaluation, evaluation.fiber, hook, effect)
  const now = runNow(traced, context)
  if (now !== undefined) return now
  if (Exit.isExit(traced)) return traced
  if (!Effect.isEffect(effect)) return returnedNoEffect("its function returned", effect)
  // the cast: the services of a hook are among those of its step, whose type says so
  const fiber = Effect.runForkWith(context)(traced as Effect.Effect<unknown, unknown>)
  return fiber.pollUnsafe() ?? fiber
}

/**
 * Runs a background hook beside what follows. The run waits for it before it ends. Of a hook that others depend on,
 * what follows waits until it is known whether it has something to do.
 */
export const runInBackground = (
  evaluation: Evaluation,
  { decides, hook }: Planned,
  supervised: HookEnd
): HookEnd | undefined => {
  const fiber = Effect.runForkWith(evaluation.hookContext)(supervised)
  evaluation.run.addBackground(fiber)
  return !decides ? undefined : Effect.callback((resume) => {
    const decided = () => resume(Effect.undefined)
    evaluation.whenApplied(hook, decided)
    fiber.addObserver(decided)
  })
}

const tellOnItsWay = ({ label, run }: Evaluation, { name }: HookImpl): HookEnd | undefined =>
  run.mayLog(`the alert of hook "${name}" was still on its way`, 1)
    ? run.log(
      Writer.logInfo(`the alert of hook "${name}" of "${label}" is still on its way, and the run goes on`),
      undefined
    )
    : undefined

/** Reports the end of a hook to observers; logs and counts a failure, of which it returns the cause. */
export const report = (
  evaluation: Evaluation,
  planned: Planned,
  exit: Exit.Exit<unknown, unknown>,
  since: number | undefined
): HookEnd | undefined => {
  const { hook } = planned
  const { run } = evaluation
  if (since !== undefined) run.telling?.hookEnded(evaluation, planned, exit, since)
  if (exit._tag === "Success") return exit.value === onItsWay ? tellOnItsWay(evaluation, hook) : undefined
  run.hookFailures++
  const failed = `hook "${hook.name}" (${hook.kind})`
  return run.log(
    Effect.andThen(
      run.mayLog(`${failed} failed`, maxLogged)
        ? Effect.annotateLogs(Writer.logError(`${failed} of "${evaluation.label}" failed`, exit.cause), {
          step: Writer.line(evaluation.label),
          hook: Writer.line(hook.name)
        })
        : Effect.void,
      Metric.update(failuresOf(hook, run.guard), 1)
    ),
    exit.cause
  )
}

/** The most failures of one hook in a run that are logged one by one. The run's end tells how many more there were. */
const maxLogged = 10
