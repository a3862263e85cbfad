/**
 * Counts crashes: that a step's body or a hook begins is stored before it does. One that has begun and has come to no
 * end when it begins again was under way when its process ended.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { shown } from "../../../internal/text/shown.ts"

/** Names a part of a run that may crash: a step's attempts, or a hook. */
export interface Part {
  readonly workflow: string
  readonly execution: string
  readonly name: string
}

/** The stored beginnings of a part that has begun before. */
export interface Begun {
  /** How many times it has begun and come to no end. */
  readonly crashes: number
  /** Whether the attempt that begins was cut off by the last of them. */
  readonly isAgain: boolean
  /** When it began first, in milliseconds since 1970. */
  readonly startedAt: number
  /** How the process ended that ran it last, where a supervisor has seen it. */
  readonly death: string | undefined
}

/** The crashes that an engine has counted. */
export interface Crashes {
  /** Stores that an attempt of a part begins, and returns what was stored of it before. */
  readonly begin: (part: Part, attempt: number, at: number) => Effect.Effect<Begun | undefined>
  /** Says that the attempt has ended, and is to be recorded. */
  readonly ended: (part: Part, attempt: number) => void
  /** Takes that back where the attempt is cut off in order, or suspended. */
  readonly leave: (part: Part, attempt: number) => Effect.Effect<void>
  /** Takes back all of a workflow's that are under way, since the process is ending: a kill is no crash from now on. */
  readonly leaveAll: (workflow: string) => Effect.Effect<void>
  readonly find: (part: Part) => Effect.Effect<Begun | undefined>
}

/** A stored attempt. */
export interface Row {
  readonly attempt: number
  /** How many times it has begun and was not left. */
  readonly begun: number
  readonly startedAt: number
  readonly death: string | null
}

/** Returns what the rows of a part say when an attempt is about to begin. Earlier attempts have come to an end. */
export const begunOf = (rows: ReadonlyArray<Row>, attempt: number): Begun | undefined => {
  if (rows.length === 0) return undefined
  return {
    crashes: rows.reduce((sum, row) => sum + (row.attempt === attempt ? row.begun : Math.max(0, row.begun - 1)), 0),
    isAgain: rows.some((row) => row.attempt === attempt && row.begun > 0),
    startedAt: Math.min(...rows.map(({ startedAt }) => startedAt)),
    death: rows.find((row) => row.attempt === attempt)?.death ?? undefined
  }
}

/** The attempts that are under way in this process. */
export class UnderWay {
  readonly #attempts = new Map<string, { readonly part: Part; readonly attempt: number }>()

  static key({ execution, name, workflow }: Part, attempt: number): string {
    return JSON.stringify([workflow, execution, name, attempt])
  }

  add(part: Part, attempt: number): void {
    this.#attempts.set(UnderWay.key(part, attempt), { part, attempt })
  }

  delete(part: Part, attempt: number): void {
    this.#attempts.delete(UnderWay.key(part, attempt))
  }

  of(workflow: string): ReadonlyArray<{ readonly part: Part; readonly attempt: number }> {
    return [...this.#attempts.values()].filter(({ part }) => part.workflow === workflow)
  }
}

/** Names this process in what is stored, for a supervisor that says how it has ended. */
export const CurrentProcess: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-epilogue/durable/Process",
  { defaultValue: () => undefined }
)

/** By the engine: one that is in memory, or that this library did not make, counts none. */
const byEngine = new WeakMap<WorkflowEngine["Service"], Crashes>()

/** @internal */
export const setCrashes = (engine: WorkflowEngine["Service"], crashes: Crashes): void => {
  byEngine.set(engine, crashes)
}

/** @internal */
export const crashesOf = (engine: WorkflowEngine["Service"]): Crashes | undefined => byEngine.get(engine)

/** How many crashes a step or a hook may have and begin again, unless set. */
export const defaultCrashes = 3

/** Returns what is wrong with such a number. */
export const crashesMistakes = (crashes: number | undefined): ReadonlyArray<string> =>
  crashes === undefined || (crashes >= 0 && (Number.isInteger(crashes) || crashes === Infinity))
    ? []
    : [`\`crashes\` must be a whole number from 0 on, or Infinity, got ${shown(crashes)}`]
