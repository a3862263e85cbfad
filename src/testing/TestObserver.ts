/**
 * Records the events of runs, and asserts which hooks ran.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RunEvent from "../RunEvent.ts"

const Base: Context.ServiceClass<TestObserver, "effect-epilogue/testing/TestObserver", TestObserver.Shape> = Context
  .Service<TestObserver, TestObserver.Shape>()("effect-epilogue/testing/TestObserver")

/**
 * The events of the runs that use its layer.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { TestObserver } from "effect-epilogue/testing"
 * import { Effect } from "effect"
 *
 * const step = Step.make("load", Effect.void).pipe(
 *   Step.hooks(Hook.onSuccess(() => Effect.log("loaded")).pipe(Hook.named("announce")))
 * )
 *
 * const test = Effect.gen(function*() {
 *   yield* step
 *   yield* TestObserver.assertFiredOnce("announce", { step: "load" })
 * }).pipe(Effect.provide(TestObserver.layer))
 * ```
 *
 * @see `TestHook.run` for a single hook without a step
 *
 * @category services
 * @since 0.1.0
 */
export class TestObserver extends Base {
  /** Records events, and keeps the observers that are already provided. */
  static readonly layer: Layer.Layer<TestObserver> = Layer.effectContext(
    Effect.map(RunEvent.Observers, (present) => {
      const events: Array<RunEvent.RunEvent> = []
      return Context.make(TestObserver, { events: Effect.sync(() => events.slice()) }).pipe(
        Context.add(RunEvent.Observers, [...present, (event) => void events.push(event)])
      )
    })
  )

  /** The events so far, in order. */
  static readonly events: Effect.Effect<ReadonlyArray<RunEvent.RunEvent>, never, TestObserver> = Effect.flatMap(
    Base,
    (self) => self.events
  )

  /**
   * Dies unless the hook of that name ran exactly once, whether it succeeded or failed. Counts the runs for
   * steps of the name `of.step` if one is given, otherwise all. A hook that was skipped did not run.
   *
   * @see {@link TestObserver.assertFired} for another number of times
   */
  static assertFiredOnce(
    hook: string,
    of?: { readonly step?: string | undefined }
  ): Effect.Effect<void, never, TestObserver> {
    return TestObserver.assertFired(hook, 1, of)
  }

  /**
   * Dies unless the hook of that name ran `times` times, which may be 0. Counts as
   * {@link TestObserver.assertFiredOnce} does, and lists all hooks that ran in the message.
   */
  static assertFired(
    hook: string,
    times: number,
    of?: { readonly step?: string | undefined }
  ): Effect.Effect<void, never, TestObserver> {
    return Effect.flatMap(TestObserver.events, (events) => {
      const fired = events.filter(isFired)
      const matching = fired.filter((event) =>
        event.hook === hook && (of?.step === undefined || event.step?.stepName === of.step)
      )
      if (matching.length === times) return Effect.void
      const seen = fired.map((event) =>
        `  ${event.step?.stepLabels.join("/") ?? "(run)"}: ${event.hook} (${event.kind})`
      )
      return Effect.die(
        new Error([
          `expected hook "${hook}"${of?.step === undefined ? "" : ` of step "${of.step}"`} to fire ${times} times, ` +
          `it fired ${matching.length} times; fired:`,
          ...(seen.length === 0 ? ["  (none)"] : seen)
        ].join("\n"))
      )
    })
  }
}

const isFired = (event: RunEvent.RunEvent): event is RunEvent.HookEnded | RunEvent.HookFailed =>
  event._tag === "HookEnded" || event._tag === "HookFailed"

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace TestObserver {
  /**
   * The records of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** The events so far, in order. */
    readonly events: Effect.Effect<ReadonlyArray<RunEvent.RunEvent>>
  }
}
