/** Questions of a run, as those see them who look after it. */
import * as DateTime from "effect/DateTime"
import type { StoredRunQuestion } from "../../StoredRun.ts"

const ends = { Approved: "approved", Denied: "denied", TimedOut: "timedOut" } as const

/** A row of the table of questions. */
export interface QuestionRow {
  readonly question: string
  readonly ended: string | null
}

/** Returns the questions of a run that are among the rows, in the order in which they were asked. */
export const questionsOf = (
  rows: ReadonlyArray<QuestionRow>,
  run: { readonly pipelineName: string; readonly runId: string }
): ReadonlyArray<StoredRunQuestion> =>
  rows.flatMap(({ ended, question }): ReadonlyArray<StoredRunQuestion> => {
    const stored: { askedAt: number; title: string; workflowName: string; executionId: string } = JSON.parse(question)
    if (stored.workflowName !== run.pipelineName || stored.executionId !== run.runId) return []
    const end: { _tag: string; decision?: { _tag: keyof typeof ends } } | undefined = ended === null
      ? undefined
      : JSON.parse(ended).end
    return [{
      title: stored.title,
      askedAt: DateTime.makeUnsafe(stored.askedAt),
      status: end === undefined ? "open" : end.decision === undefined ? "withdrawn" : ends[end.decision._tag]
    }]
  }).toSorted((a, b) => DateTime.Order(a.askedAt, b.askedAt))
