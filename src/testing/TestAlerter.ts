/**
 * Provides alerters for tests: they record what is posted, fail, or never answer.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { timed } from "../internal/alerts/alerter.ts"
import { told } from "../internal/alerts/reports.ts"
import { forgetful } from "../internal/alerts/settling.ts"
import { refuse, wholeMistakes } from "../internal/model/options.ts"

const Base: Context.ServiceClass<TestAlerter, "effect-epilogue/testing/TestAlerter", TestAlerter.Shape> = Context
  .Service<TestAlerter, TestAlerter.Shape>()("effect-epilogue/testing/TestAlerter")

/**
 * The alerts that were posted. Its layers provide `Alerter` as well, and record separately in each use.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Step } from "effect-epilogue"
 * import { TestAlerter } from "effect-epilogue/testing"
 * import { Effect } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   yield* Step.make("load", Effect.void).pipe(Step.hooks(AlerterHooks.success))
 *   const alerts = yield* TestAlerter.sent
 *   console.log(alerts.length) // 1
 * }).pipe(Effect.provide(TestAlerter.layer))
 * ```
 *
 * @see {@link TestAlerter.layer} for an alerter that succeeds
 * @see {@link TestAlerter.layerFailing} and {@link TestAlerter.layerHanging} for others
 *
 * @category services
 * @since 0.1.0
 */
export class TestAlerter extends Base {
  /** The alerts that arrived, in order. */
  static readonly sent: Effect.Effect<ReadonlyArray<Alert>, never, TestAlerter> = Effect.flatMap(
    Base,
    (self) => self.sent
  )

  /** The number of posts that began, including those that failed or hang. */
  static readonly attempts: Effect.Effect<number, never, TestAlerter> = Effect.flatMap(Base, (self) => self.attempts)

  /** Provides an alerter that records every alert. */
  static readonly layer: Layer.Layer<Alerter | TestAlerter> = layerWith(() => Effect.void)

  /**
   * Provides an alerter that fails the first `times` posts (all of them unless given) with `reason`
   * (`Unreachable` unless given), and records the others.
   */
  static layerFailing(options?: {
    readonly times?: number | undefined
    readonly reason?: AlerterErrorReason | undefined
  }): Layer.Layer<Alerter | TestAlerter> {
    const error = new AlerterError({ channel: "test", reason: options?.reason ?? AlerterErrorReason.Unreachable({}) })
    return layerWith(
      (attempt) => attempt <= (options?.times ?? Infinity) ? Effect.fail(error) : Effect.void,
      wholeMistakes("times", options?.times, 0, Infinity)
    )
  }

  /**
   * Provides an alerter that never answers.
   *
   * **When to use**
   *
   * To test time limits of hooks, with `TestClock`.
   */
  static readonly layerHanging: Layer.Layer<Alerter | TestAlerter> = layerWith(() => Effect.never)
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace TestAlerter {
  /**
   * The records of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** The alerts that arrived, in order. */
    readonly sent: Effect.Effect<ReadonlyArray<Alert>>
    /** The number of posts that began. */
    readonly attempts: Effect.Effect<number>
  }
}

function layerWith(
  answer: (attempt: number) => Effect.Effect<void, AlerterError>,
  mistakes: ReadonlyArray<string> = []
): Layer.Layer<Alerter | TestAlerter> {
  return Layer.effectContext(Effect.sync(() => {
    refuse("TestAlerter.layerFailing", mistakes)
    const sent: Array<Alert> = []
    let attempts = 0
    return Context.make(TestAlerter, {
      sent: Effect.sync(() => sent.slice()),
      attempts: Effect.sync(() => attempts)
    }).pipe(Context.add(
      Alerter,
      forgetful({
        post: (alert) =>
          timed(
            alert,
            (timedAlert) =>
              told(
                timedAlert,
                "test",
                Effect.andThen(
                  Effect.suspend(() => answer(++attempts)),
                  Effect.sync(() => sent.push(timedAlert))
                )
              ),
            "alerter",
            () => undefined
          )
      })
    ))
  }))
}
