/** Steps that need an approval. Apart from `Approver.ts`, so that steps without one do not load that. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
// oxlint-disable-next-line eslint/no-restricted-imports, import/no-cycle -- the type of `ApproverKey` names the class that extends it
import type { Approver } from "../../Approver.ts"
import { evaluationOf } from "../engine/evaluation.ts"
import { currentView } from "../engine/view.ts"
import type { AlerterError } from "../model/alerterError.ts"
import { asked, type Decision, type Question, type QuestionFor } from "../model/approval.ts"
import { StepContext } from "../model/context.ts"
import { unknownMistakes } from "../model/options.ts"
import type { Needs, Step } from "../model/step.ts"
import { selfExplained } from "../text/selfExplained.ts"
import { combinator } from "./combinator.ts"
import { gate, makeStep, withMistakes } from "./step.ts"

/**
 * The key of the service `Approver`, whose class extends it in `Approver.ts`. This module and that one form a cycle of
 * types: the key needs the type of the class, and the class needs the key. It is the only cycle of the package.
 */
export const ApproverKey: Context.ServiceClass<Approver, "effect-epilogue/Approver", Approver.Shape> = Context.Service<
  Approver,
  Approver.Shape
>()("effect-epilogue/Approver")

/**
 * The fields of a {@link NotApproved}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface NotApprovedFields {
  /** The name of the step. */
  readonly step: string
  /** The decision: a denial, or no answer in time. */
  readonly decision: Exclude<Decision, { readonly _tag: "Approved" }>
}

const NotApprovedBase: new(
  fields: NotApprovedFields
) => Cause.YieldableError & { readonly _tag: "NotApproved" } & NotApprovedFields = selfExplained(
  Data.TaggedError("NotApproved")<
    NotApprovedFields
  >
)

/**
 * The error of a step whose approval was denied or not given in time.
 *
 * @see `Step.requireApproval` for the steps that fail with it
 *
 * @category errors
 * @since 0.1.0
 */
export class NotApproved extends NotApprovedBase {
  /** Names the step, and says who denied it, or that nobody answered in time. */
  override get message(): string {
    const { decision, step } = this
    const comment = decision._tag === "Denied" && decision.comment ? `: ${decision.comment}` : ""
    return decision._tag === "Denied"
      ? `step "${step}" was denied by ${decision.by.name}${comment}`
      : `step "${step}" was not approved in time`
  }
}

const approval = (question: Question): Effect.Effect<unknown, AlerterError | NotApproved, Approver | StepContext> =>
  Effect.gen(function*() {
    const { pipelineName, runName, stepName } = yield* StepContext
    const approver = yield* ApproverKey
    const decision = yield* asked(approver, {
      ...question,
      fields: [
        ...question.fields ?? [],
        { name: "pipeline", value: pipelineName },
        { name: "run", value: runName },
        { name: "step", value: stepName }
      ]
    })
    if (decision._tag !== "Approved") return yield* Effect.fail(new NotApproved({ step: stepName, decision }))
    const { id, name } = decision.by
    // names are not unique, and ids are
    yield* StepContext.annotate("approved by", name === id ? id : `${name} (${id})`)
    if (question.values === undefined) return undefined
    yield* StepContext.annotate("approved with", question.values.describe(decision.values))
    return decision.values
  })

/**
 * Asks the environment's `Approver` before the first attempt, and runs the body only if somebody approves.
 * Otherwise the step fails with {@link NotApproved}, or with the `AlerterError` of an approver that could not
 * ask.
 *
 * **Details**
 *
 * - The wait belongs to the step: start hooks run before it, and the step's hooks see how it ended.
 * - The wait does not belong to the body: retries do not ask again, and `Step.timeout` does not count it.
 * - The person who approved is added as the annotation `approved by`.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * // Step<void, AlerterError | NotApproved, Approver>
 * const deploy = Step.make("deploy", Effect.log("deploying")).pipe(
 *   Step.requireApproval({ title: "Deploy to production?", timeout: "1 hour" })
 * )
 * ```
 *
 * @see {@link approved} for an approval that brings values
 * @see `Approver.ask` for asking anywhere else
 *
 * @category combinators
 * @since 0.1.0
 */
export const requireApproval: {
  (
    question: Question
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E | AlerterError | NotApproved, R | Approver>
  <A, E, R>(
    self: Step<A, E, R>,
    question: Question
  ): Step<A, E | AlerterError | NotApproved, R | Approver>
} = combinator(
  2,
  <A, E, R>(self: Step<A, E, R>, question: Question) => asking(self, question, approval(question))
)

const questionOptions: Record<keyof Question, 0> = {
  title: 0,
  body: 0,
  fields: 0,
  options: 0,
  timeout: 0,
  approvers: 0,
  values: 0
}

/** Adds the gate of a question, of which a misspelt `approvers` would let anybody answer. */
const asking = (step: any, question: Question, approval: Effect.Effect<unknown, unknown, any>): any =>
  gate(withMistakes(step, unknownMistakes("its question", question, questionOptions)), approval)

/** The values that evaluations have been approved with. */
const approvedWith = new WeakMap<object, unknown>()

/**
 * Makes a step that asks for values, as {@link requireApproval} asks for permission: whoever approves fills in the
 * question's form, and the body gets the decoded values.
 *
 * **Details**
 *
 * - Values that do not fit the form's Schema are no answer: the person is told what was expected, and may answer again.
 * - `WebPage`, `TerminalPrompt` and durable approvals take values. Other approvers fail with an `AlerterError`, and never
 *   approve without values.
 * - All attempts get the same values. They are added as the annotation `approved with`, secrets as `<redacted>`.
 * - The wait is that of {@link requireApproval}.
 *
 * @example
 * ```ts
 * import { Params, Step } from "effect-epilogue"
 * import { Effect, Schema } from "effect"
 *
 * // Step<void, AlerterError | NotApproved, Approver>
 * const rollOut = Step.approved("roll-out", {
 *   title: "Roll out version 7?",
 *   timeout: "1 hour",
 *   values: Params.form({ percent: Schema.Int.annotate({ title: "Percent of users" }) })
 * }, ({ percent }) => Effect.log(`rolling out to ${percent} %`)) // percent: number
 * ```
 *
 * @see `Params.form` for forms
 * @see `Approver.ask` for asking anywhere else
 *
 * @category constructors
 * @since 0.1.0
 */
export const approved = <V, A, E, R>(
  name: string,
  question: QuestionFor<V>,
  body: (values: V) => Effect.Effect<A, E, R>
): Step<A, E | AlerterError | NotApproved, Needs<R> | Approver> => {
  // the cast: the gate, which runs before the body, has set values of the form's type
  const filled = withEvaluation((evaluation) => body(approvedWith.get(evaluation) as never))
  const filling = Effect.flatMap(
    approval(question),
    (values) => withEvaluation((evaluation) => Effect.sync(() => void approvedWith.set(evaluation, values)))
  )
  return asking(makeStep(name, filled), question, filling)
}

const withEvaluation = <A, E, R>(f: (evaluation: object) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => f(evaluationOf(currentView(fiber)!))) // a gate and a body are evaluated in a step
