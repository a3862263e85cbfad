/** Defines the data about durable runs that the server sends to the script of the page. Times are in milliseconds. */
import type { FormField } from "../../../../internal/model/formField.ts"
import type { RunStatus, StoredHook, StoredRunQuestion, StoredStep } from "../../../../internal/model/storedRun.ts"

/** A durable run in the list. */
export interface DurableRunJson {
  readonly kind: "run"
  /** The key of this item: the ids of runs are unique in a pipeline only. */
  readonly id: string
  readonly run: string
  readonly pipeline: string
  readonly status: RunStatus
  readonly at: number
  readonly endedAt?: number | undefined
  /** When the next clock goes off for which it waits. */
  readonly until?: number | undefined
  readonly retryOf?: string | undefined
  readonly why?: string | undefined
  /** Whether the run has a record. */
  readonly recorded: boolean
}

/** A question of a durable run. */
export interface QuestionJson {
  readonly kind: "question"
  readonly id: string
  /** The key of its run among the items of the list. */
  readonly runKey: string
  readonly run: string
  readonly pipeline: string
  readonly title: string
  readonly approve: string
  readonly deny: string
  readonly fields: ReadonlyArray<FormField>
  readonly approvers?: ReadonlyArray<string> | undefined
  readonly at: number
  readonly until?: number | undefined
  readonly status: StoredRunQuestion["status"]
  /** Whether the person may answer in whose name the page acts. */
  readonly mayAnswer: boolean
  /** The name of the person who answered it. */
  readonly by?: string | undefined
}

/** Says that the durable runs can't be read at the moment. */
export interface ProblemJson {
  readonly kind: "problem"
  readonly id: "problem"
}

/** An item of the list. */
export type DurableItem = DurableRunJson | QuestionJson | ProblemJson

/** A step of a durable run. */
export interface DurableStepJson extends Pick<StoredStep, "name" | "status" | "attempts" | "hooks"> {
  readonly at?: number | undefined
  readonly endedAt?: number | undefined
  readonly why?: string | undefined
}

/** A durable run with its steps. */
export interface DurableRunDetails extends DurableRunJson {
  /** The payload as JSON. */
  readonly payload: string
  /** The last steps that began. */
  readonly steps: ReadonlyArray<DurableStepJson>
  /** How many others there are. */
  readonly earlierSteps: number
  readonly hooks: ReadonlyArray<StoredHook>
  readonly questions: ReadonlyArray<QuestionJson>
  readonly retriedAs: ReadonlyArray<string>
}
