/** Gives the page of runs what an engine has stored. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Person } from "../../Approver.ts"
import { DurableRuns } from "../../internal/model/durableRuns.ts"
import type { RunStatus } from "../../internal/model/storedRun.ts"
import { answer as answerByToken, InvalidAnswer } from "../Approval.ts"
import { openQuestions, tokenOf } from "./answering.ts"
import { withRuns } from "./runs/runs.ts"

const unfinished: ReadonlyArray<RunStatus> = ["running", "waiting", "setAside"]
const ended: ReadonlyArray<RunStatus> = ["success", "failure", "interrupt", "skip"]

/** How many runs that have ended are listed. */
const mostEnded = 1_000

/** @internal */
export const layer = (by: Person | undefined): Layer.Layer<DurableRuns, never, WorkflowEngine> =>
  Layer.effect(
    DurableRuns,
    Effect.map(WorkflowEngine, (engine): DurableRuns.Shape => {
      const here = Effect.provideService(WorkflowEngine, engine)
      const answer = (by: Person, id: string, given: DurableRuns.Answer) =>
        Effect.flatMap(
          tokenOf(id),
          (token) =>
            token === undefined
              ? Effect.fail(new InvalidAnswer({ reason: "Token", message: "there is no such question" }))
              : answerByToken(token, { ...given, by })
        )
      return {
        list: here(withRuns("listing", ({ list }) =>
          Effect.map(
            Effect.all([
              list({ statuses: unfinished, limit: Number.MAX_SAFE_INTEGER }),
              list({ statuses: ended, limit: mostEnded })
            ]),
            (runs) => runs.flat()
          ))),
        show: (runId) => here(withRuns("showing", ({ show }) => show(runId))),
        questions: here(openQuestions),
        actions: by === undefined ? undefined : {
          by,
          answer: (id, given) => here(answer(by, id, given)),
          interrupt: (runId, { now }) =>
            Effect.asVoid(here(withRuns("interrupting", ({ interrupt }) => interrupt(runId, now)))),
          retry: (runId, { from }) => here(withRuns("retrying", ({ retry }) => retry(runId, from)))
        }
      }
    })
  )
