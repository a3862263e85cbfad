/** Time limits of bodies. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { FailedAttempt } from "../model/hook.ts"
import { exceeded } from "../model/limit.ts"
import type { Occurrence } from "../model/occurrence.ts"
import type { Body, Limits, PipelineOwner, StepOwner, Wrap } from "../model/owner.ts"
import { runningIn, runningText } from "../model/running.ts"
import { formatDuration } from "../text/duration.ts"
import * as Writer from "../text/writer.ts"
import { type Evaluation, evaluationOf } from "./evaluation.ts"
import { withLateGuard } from "./run.ts"
import { currentView } from "./view.ts"

/** The grace of a limit that sets none, in milliseconds. */
export const defaultGrace = 5_000

interface TimeoutOptions extends Limits {
  /** Makes the error. `running` names the steps that were running at the limit. */
  readonly error: (subject: string, running: string) => Cause.TimeoutError
  /** Called with the fiber that evaluates the body. */
  readonly onFork?: ((fiber: Fiber.Fiber<unknown, unknown>) => void) | undefined
}

/** When the first of the time limits of a body is up, in milliseconds. */
const limits = new WeakMap<Occurrence, number>()

/**
 * Interrupts a body after a limit, and fails. A body that has not ended at the end of the grace is left behind, on the
 * fiber of its own that evaluates it: otherwise it would hold its step for as long as it likes.
 */
export const timeoutBody = (body: Body, { error, grace, limit, onFork }: TimeoutOptions): Body =>
  Effect.withFiber((parent) => {
    // there is a view: only a step or a pipeline evaluates a body, and it provides the context
    const evaluation = evaluationOf(currentView(parent)!)
    // the steps that begin from now on are those that may be running at the limit
    evaluation.run.open ??= new Set()
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (startedAt) => {
          const before = limits.get(evaluation) ?? Infinity
          limits.set(evaluation, Math.min(before, startedAt + limit))
          return Effect.flatMap(Effect.forkDetach(Effect.interruptible(body), { startImmediately: true }), (fiber) => {
            onFork?.(fiber)
            const subject = subjectOf(evaluation)
            /** Interrupts the body, waits until it has ended or for a time, and returns what it failed with meanwhile. */
            const stop = (wait: number): Effect.Effect<Cause.Cause<unknown> | undefined> =>
              Effect.suspend(() => {
                fiber.interruptUnsafe(parent.id)
                return Effect.flatMap(
                  Effect.timeoutOption(Fiber.await(fiber), wait),
                  (ended) => {
                    // it may have ended at that moment, and have told itself what it left behind
                    const exit = Option.getOrElse(ended, () => fiber.pollUnsafe())
                    if (exit !== undefined) return Effect.succeed(failuresOf(exit))
                    abandoned.add(fiber)
                    return Effect.as(leftBehind(`${subject} was interrupted at its time limit`, grace), undefined)
                  }
                )
              })
            return Effect.flatMap(
              Effect.onInterrupt(
                restore(Effect.timeoutOption(Fiber.await(fiber), limit)),
                () =>
                  Clock.currentTimeMillis.pipe(
                    Effect.flatMap((now) => stop(Math.max(0, startedAt + limit - now) + grace)),
                    // as of a body without a limit, whose finalizers' failures are in the cause beside the interruption
                    Effect.flatMap((failures) => failures === undefined ? Effect.void : Effect.failCause(failures))
                  )
              ),
              (ended): Body => {
                limits.set(evaluation, before)
                return Option.isSome(ended)
                  ? asOwn(ended.value, fiber, parent)
                  : Effect.flatMap(Clock.currentTimeMillis, (now) => {
                    // before they are interrupted
                    const running = runningText(runningIn(evaluation, now))
                    return Effect.flatMap(restore(stop(grace)), (failures) =>
                      Effect.andThen(
                        // the error of the limit takes its place, and nobody would be told of it otherwise
                        failures === undefined
                          ? Effect.void
                          : withLateGuard(
                            evaluation.run,
                            warn(`${subject} was interrupted at its time limit, and failed while it stopped`, failures)
                          ),
                        Effect.fail(error(subject, running))
                      ))
                  })
              }
            )
          })
        }
      )
    )
  })

/**
 * Describes an attempt that failed at `now`, where another is to follow after `delay`: whether a limit is up before, and how
 * long it is until the first of the two.
 */
export const failedAttempt = (
  step: Occurrence,
  cause: Cause.Cause<unknown>,
  delay: Duration.Duration,
  now: number
): FailedAttempt<unknown> => {
  const { attempt, inHook, run: { open } } = step
  let left = Infinity
  // hooks go on after the limit of their step, and a run in one of them has its own set
  for (let at: Occurrence | undefined = step; at !== undefined && at.run.open === open; at = at.around) {
    if (at.inHook === inHook) left = Math.min(left, (limits.get(at) ?? Infinity) - now)
  }
  const isLast = Duration.toMillis(delay) >= left
  return { attempt, cause, delay: isLast ? Duration.millis(Math.max(0, left)) : delay, isLast }
}

/** Returns what a body failed with besides its interruption, such as the defect of a finalizer. */
const failuresOf = (exit: Exit.Exit<unknown, unknown>): Cause.Cause<unknown> | undefined => {
  const reasons = exit._tag === "Success" ? [] : exit.cause.reasons.filter((reason) => !Cause.isInterruptReason(reason))
  return reasons.length === 0 ? undefined : Cause.fromReasons(reasons)
}

/** Returns the exit of a body that interrupts itself as the interruption of the fiber that it stands for. */
const asOwn = (
  exit: Exit.Exit<unknown, unknown>,
  { id }: Fiber.Fiber<unknown, unknown>,
  parent: Fiber.Fiber<unknown, unknown>
): Exit.Exit<unknown, unknown> =>
  exit._tag === "Success" || !exit.cause.reasons.some((reason) => isInterruptBy(reason, id))
    ? exit
    : Exit.failCause(
      Cause.fromReasons(
        exit.cause.reasons.map((reason) => isInterruptBy(reason, id) ? Cause.makeInterruptReason(parent.id) : reason)
      )
    )

const isInterruptBy = (reason: Cause.Reason<unknown>, id: number): boolean =>
  Cause.isInterruptReason(reason) && reason.fiberId === id

const subjectOf = ({ isRun, label }: Evaluation): string => subject(isRun ? "pipeline" : "step", label)

const subject = (kind: "step" | "pipeline", name: string): string => `${kind} "${name}"`

/** The fibers of bodies that were left behind at a time limit. */
const abandoned = new WeakSet<Fiber.Fiber<unknown, unknown>>()

/**
 * Waits, when the body of a step was interrupted, for something that no interruption ends. It is left behind at the end
 * of the grace: the given one in milliseconds, that of the step's time limit, or the usual one.
 */
export const awaitWithinGrace = (ended: Effect.Effect<void>, given: number | undefined): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    // there is a view: only a step evaluates such a body, and it provides the context
    const { label, owner } = evaluationOf(currentView(fiber)!)
    const limit = owner.wraps?.findLast((wrap) => wrap.kind === "timeout")
    const grace = given ?? limit?.grace ?? defaultGrace
    return Effect.flatMap(Effect.timeoutOption(ended, grace), (done) =>
      Option.isSome(done) || abandoned.has(fiber)
        ? Effect.void
        : leftBehind(`${subject("step", label)} was interrupted`, grace))
  })

// a logger that fails must not fail the step
const warn = (message: string, ...about: ReadonlyArray<unknown>): Effect.Effect<void> =>
  Effect.catchCause(Writer.logWarning(message, ...about), () => Effect.void)

const leftBehind = (interrupted: string, grace: number): Effect.Effect<void> =>
  warn(`${interrupted}, did not stop within ${formatDuration(grace)}, and was left behind`)

/** @internal */
export const bodyExceeded = (
  owner: StepOwner | PipelineOwner,
  label: string,
  limit: number,
  running?: string
): Cause.TimeoutError => exceeded(subject(owner.label === "Pipeline" ? "pipeline" : "step", label), limit, running)

/** @internal */
export const timeoutWrap = (limits: Limits): Wrap => ({
  kind: "timeout",
  ...limits,
  wrap: (body) =>
    timeoutBody(body, { ...limits, error: (subject, running) => exceeded(subject, limits.limit, running) })
})
