/** Makes the data for the page of what is stored of durable runs. Others have written its texts: they are cleaned and cut. */
import * as DateTime from "effect/DateTime"
import type { Person } from "../../../../internal/model/approval.ts"
import type { FormField } from "../../../../internal/model/formField.ts"
import type {
  StoredHook,
  StoredRun,
  StoredRunDetails,
  StoredRunQuestion
} from "../../../../internal/model/storedRun.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../../internal/text/fit.ts"
import type { DurableRunDetails, DurableRunJson, QuestionJson } from "./data.ts"

/** The longest texts, and the most steps, so that browsers can show them. */
const most = { line: 500, text: 50_000, steps: 1_000, approvers: 200 }

const millis = (at: DateTime.Utc | undefined): number | undefined =>
  at === undefined ? undefined : DateTime.toEpochMillis(at)

const line = (text: string): string => fitEnd(oneLine(text), most.line)

const lineOrNone = (text: string | undefined): string | undefined => text === undefined ? undefined : line(text)

/** @internal */
export const runJson = (
  { endedAt, pipelineName, retryOf, runId, status, submittedAt, waitsUntil, why }: StoredRun,
  recorded: boolean
): DurableRunJson => ({
  kind: "run",
  id: JSON.stringify([pipelineName, runId]),
  run: runId,
  pipeline: line(pipelineName),
  status,
  at: DateTime.toEpochMillis(submittedAt),
  endedAt: millis(endedAt),
  until: millis(waitsUntil),
  retryOf,
  why: lineOrNone(why),
  recorded
})

const fieldJson = (field: FormField): FormField => ({
  ...field,
  label: line(field.label),
  ...(field.description === undefined ? {} : { description: line(field.description) })
})

/** Makes the data of a question, for the person in whose name the page acts. */
export const questionJson = (
  { approvers, askedAt, by, fields, id, labels, pipelineName, runId, status, title, until }: StoredRunQuestion,
  actor: Person | undefined
): QuestionJson => ({
  kind: "question",
  id,
  runKey: JSON.stringify([pipelineName, runId]),
  run: runId,
  pipeline: line(pipelineName),
  title: line(title),
  approve: line(labels.approve),
  deny: line(labels.deny),
  fields: fields.map(fieldJson),
  approvers: approvers?.slice(0, most.approvers).map(line),
  at: DateTime.toEpochMillis(askedAt),
  until: millis(until),
  status,
  mayAnswer: actor !== undefined && (approvers === undefined || approvers.includes(actor.id)),
  by: lineOrNone(by?.name)
})

const hookJson = ({ kind, name, status }: StoredHook): StoredHook => ({ kind, name: line(name), status })

/** @internal */
export const detailsJson = (
  run: StoredRunDetails,
  recorded: boolean,
  actor: Person | undefined
): DurableRunDetails => ({
  ...runJson(run, recorded),
  payload: fitMiddle(clean(JSON.stringify(run.payload, undefined, 2)), most.text),
  steps: run.steps.slice(-most.steps).map(({ attempts, endedAt, hooks, name, startedAt, status, why }) => ({
    name: line(name),
    status,
    attempts,
    hooks: hooks.map(hookJson),
    at: millis(startedAt),
    endedAt: millis(endedAt),
    why: lineOrNone(why)
  })),
  earlierSteps: Math.max(0, run.steps.length - most.steps),
  hooks: run.hooks.map(hookJson),
  questions: run.questions.map((question) => questionJson(question, actor)),
  retriedAs: run.retriedAs
})
