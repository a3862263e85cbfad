/**
 * An approver that answers as a test says, and keeps what it was asked.
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
 * Answers as a test says. It is resumable: a question that was posted by one layer can
 * be listened to by another, as after a restart.
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
 * @category services
 * @since 0.1.0
 */
export class TestApprover extends Base {
  /** The questions, in order, each time that they were put: not each time that somebody listened. */
  static readonly asked: Effect.Effect<ReadonlyArray<Question>, never, TestApprover> = Effect.flatMap(
    Base,
    (self) => self.asked
  )

  /** The questions that were withdrawn, in order. */
  static readonly withdrawn: Effect.Effect<ReadonlyArray<Question>, never, TestApprover> = Effect.flatMap(
    Base,
    (self) => self.withdrawn
  )

  /** Approves at once. */
  static layerApproving(answer?: TestApprover.Answer): Layer.Layer<Approver | TestApprover> {
    return layerWith(() => Effect.map(now, (at) => Decision.Approved({ ...answered(answer), at })))
  }

  /** Denies at once. */
  static layerDenying(answer?: TestApprover.Answer): Layer.Layer<Approver | TestApprover> {
    return layerWith(() => Effect.map(now, (at) => Decision.Denied({ ...answered(answer), at })))
  }

  /** Never answers: a question times out when the clock says so. */
  static readonly layerSilent: Layer.Layer<Approver | TestApprover> = layerWith(() => Effect.never)

  /** Can't ask. */
  static layerFailing(reason?: AlerterErrorReason): Layer.Layer<Approver | TestApprover> {
    const error = Effect.fail(
      new AlerterError({ channel: "test", reason: reason ?? AlerterErrorReason.Unreachable({}) })
    )
    return layerWith(() => error, error)
  }
}

/**
 * @category services
 * @since 0.1.0
 */
export declare namespace TestApprover {
  /**
   * What the service holds.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    readonly asked: Effect.Effect<ReadonlyArray<Question>>
    readonly withdrawn: Effect.Effect<ReadonlyArray<Question>>
  }

  /**
   * Who answers, and with which comment. The id, and the name, are `"tester"` unless set.
   *
   * @category models
   * @since 0.1.0
   */
  export interface Answer {
    readonly by?: Person | undefined
    readonly comment?: string | undefined
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
    }, { channel: "test" })
    const kept = { asked: Effect.sync(() => asked.slice()), withdrawn: Effect.sync(() => withdrawn.slice()) }
    return Layer.merge(approver, Layer.succeed(TestApprover, kept))
  }))
}
