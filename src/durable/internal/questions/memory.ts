/** Keeps the questions of an engine in memory. */
import * as Effect from "effect/Effect"
import { isSameSecret } from "../../../internal/text/token.ts"
import type { Questions, QuestionState } from "./questions.ts"

/** @internal */
export const make = (): Questions => {
  const states = new Map<string, QuestionState>()
  const change = (id: string, by: (state: QuestionState) => QuestionState): boolean => {
    const state = states.get(id)
    if (state === undefined || state.end !== undefined) return false
    states.set(id, by(state))
    return true
  }
  return {
    ask: (question) =>
      Effect.sync(() => {
        const { id } = question
        const known = states.get(id)?.question ?? question
        if (!states.has(id)) states.set(id, { question, end: undefined })
        change(id, () => ({ question: { ...question, token: known.token, wake: known.wake }, end: undefined }))
        return states.get(id)!
      }),
    read: (id) => Effect.sync(() => states.get(id)),
    find: (token) =>
      Effect.sync(() => [...states.values()].find(({ question }) => isSameSecret(question.token, token))),
    open: Effect.sync(() => [...states.values()].flatMap(({ end, question }) => end === undefined ? [question] : [])),
    end: (id, end) => Effect.sync(() => change(id, ({ question }) => ({ question, end }))),
    withdraw: (place) =>
      Effect.sync(() => {
        for (const { question } of states.values()) {
          const { executionId, name, workflowName } = question
          if (executionId === place.executionId && name === place.name && workflowName === place.workflowName) {
            change(question.id, () => ({ question, end: { _tag: "Withdrawn" } }))
          }
        }
      }),
    // an answer and its run are in one process
    unwoken: Effect.succeed([]),
    woken: () => Effect.void,
    taken: (id) =>
      Effect.sync(() => {
        const state = states.get(id)
        if (state !== undefined) states.set(id, { ...state, question: { ...state.question, checked: "taken" } })
      }),
    reopen: (id, wake, checked) =>
      Effect.sync(() => {
        const state = states.get(id)
        if (state !== undefined) states.set(id, { question: { ...state.question, wake, checked }, end: undefined })
      }),
    rearm: (id, wake) =>
      Effect.sync(() => void change(id, ({ end, question }) => ({ question: { ...question, wake }, end })))
  }
}
