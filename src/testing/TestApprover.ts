/**
 * Provides approvers for tests: they answer as the test says, and record the questions.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { Approver, Decision, type Person, type Question } from "../Approver.ts"
import { now } from "../internal/approvals/question.ts"

const Base: Context.ServiceClass<TestApprover, "effect-epilogue/testing/TestApprover", TestApprover.Shape> = Context
  .Service<TestApprover, TestApprover.Shape>()("effect-epilogue/testing/TestApprover")

/**
 * The questions that were asked. Its layers provide `Approver` as well.
 *
 * **Details**
 *
 * The approver is resumable: a question that one layer posted can be listened to by another, as after a restart.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { TestApprover } from "effect-epilogue/testing"
 * import { Effect } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   const deploy = Step.make("deploy", Effect.void).pipe(
 *     Step.requireApproval({ title: "Deploy?", timeout: "1 hour" })
 *   )
 *   const error = yield* Effect.flip(deploy)
 *   console.log(error.message) // step "deploy" was denied by tester: not on a Friday
 *   console.log((yield* TestApprover.asked).length) // 1
 * }).pipe(Effect.provide(TestApprover.layerDenying({ comment: "not on a Friday" })))
 * ```
 *
 * @see `Step.requireApproval` for steps that ask
 *
 * @category services
 * @since 0.1.0
 */
export class TestApprover extends Base {
  /** The questions that were posted, in order. Listening again to a question does not add it again. */
  static readonly asked: Effect.Effect<ReadonlyArray<Question>, never, TestApprover> = Effect.flatMap(
    Base,
    (self) => self.asked
  )

  /** The questions that were withdrawn, in order. */
  static readonly withdrawn: Effect.Effect<ReadonlyArray<Question>, never, TestApprover> = Effect.flatMap(
    Base,
    (self) => self.withdrawn
  )

  /** Provides an approver that approves at once. */
  static layerApproving(answer?: TestApprover.Answer): Layer.Layer<Approver | TestApprover> {
    return layerWith(() =>
      Effect.map(now, (at) => Decision.Approved({ ...answered(answer), values: answer?.values, at }))
    )
  }

  /** Provides an approver that denies at once. */
  static layerDenying(answer?: TestApprover.Answer): Layer.Layer<Approver | TestApprover> {
    return layerWith(() => Effect.map(now, (at) => Decision.Denied({ ...answered(answer), at })))
  }

  /** Provides an approver that never answers, so that questions time out by the clock. */
  static readonly layerSilent: Layer.Layer<Approver | TestApprover> = layerWith(() => Effect.never)

  /** Provides an approver that fails to ask and to listen, with the reason `Unreachable` unless given. */
  static layerFailing(reason?: AlerterErrorReason): Layer.Layer<Approver | TestApprover> {
    const error = Effect.fail(
      new AlerterError({ channel: "test", reason: reason ?? AlerterErrorReason.Unreachable({}) })
    )
    return layerWith(() => error, error)
  }
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace TestApprover {
  /**
   * The records of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** The questions that were posted, in order. */
    readonly asked: Effect.Effect<ReadonlyArray<Question>>
    /** The questions that were withdrawn, in order. */
    readonly withdrawn: Effect.Effect<ReadonlyArray<Question>>
  }

  /**
   * The person who answers, and the comment. Id and name are `"tester"` unless set.
   *
   * @category models
   * @since 0.1.0
   */
  export interface Answer {
    /** The person who answers. */
    readonly by?: Person | undefined
    /** The comment. None unless set. */
    readonly comment?: string | undefined
    /** The values of the form, as JSON, for questions that ask for some. */
    readonly values?: Readonly<Record<string, unknown>> | undefined
  }
}

const answered = (answer: TestApprover.Answer = {}) => ({
  by: answer.by ?? { id: "tester", name: "tester" },
  comment: answer.comment
})

function layerWith(
  answer: () => Effect.Effect<Decision, AlerterError>,
  post: Effect.Effect<string, AlerterError> = Effect.succeed("")
): Layer.Layer<Approver | TestApprover> {
  return Layer.unwrap(Effect.sync(() => {
    const asked: Array<Question> = []
    const withdrawn: Array<Question> = []
    const approver = Approver.layerResumable({
      post: (question) => {
        asked.push(question)
        return post
      },
      listen: answer,
      withdraw: (question) => Effect.sync(() => withdrawn.push(question))
    }, { channel: "test", takesValues: true })
    const kept = { asked: Effect.sync(() => asked.slice()), withdrawn: Effect.sync(() => withdrawn.slice()) }
    return Layer.merge(approver, Layer.succeed(TestApprover, kept))
  }))
}
