/** Reads the records of a run, as the tables have them, without the schemas of its pipeline. */
import * as DateTime from "effect/DateTime"
import { hasProperty } from "effect/Predicate"
import { isStepSkipped } from "../../../internal/model/skip.ts"
import type { StoredHook, StoredStep } from "../../../internal/model/storedRun.ts"
import { errorText } from "../../../internal/text/errors.ts"
import { libraryErrorOf, skippedTag } from "../stored/errors.ts"
import type { EndRecord, PendingHook } from "../stored/records.ts"
import { fromStored } from "./codeChanged.ts"
import { shownStep, stepKeyIn } from "./runs.ts"

/** A row of the table of activities. */
export interface ActivityRow {
  readonly name: string
  readonly attempt: number
  readonly exit: string
}

interface StoredReason {
  readonly _tag: string
  readonly error?: unknown
  readonly defect?: unknown
}

/** An exit as JSON. */
export interface StoredExit {
  readonly _tag: string
  readonly value?: unknown
  readonly cause?: ReadonlyArray<StoredReason>
}

type Stored = Partial<Omit<EndRecord, "exit">> & {
  readonly exit?: StoredExit
  readonly order?: number
  readonly outcome?: StoredHook["status"]
}

const described = (value: unknown): string => {
  if (typeof value === "string") return value
  if (typeof value !== "object" || value === null) return String(value)
  const changed = fromStored(value)
  if (changed !== undefined) return `CodeChanged: ${changed.message}`
  const library = libraryErrorOf(value)
  if (isStepSkipped(library)) return library.reason ?? "skipped"
  // an error of the library is stored by its fields, of which it makes the message
  if (library !== undefined) return errorText(library)
  const { _tag, message, name } = value as Record<string, unknown>
  const kind = typeof _tag === "string" ? _tag : typeof name === "string" ? name : undefined
  if (typeof message === "string" && message !== "") return kind === undefined ? message : `${kind}: ${message}`
  // a tagged error without a message says by its fields what failed
  return typeof _tag === "string" ? errorText(value) : kind ?? JSON.stringify(value)
}

/** Returns the errors of an exit on one line, or `undefined` for a success. */
export const whyOf = (exit: StoredExit | undefined): string | undefined => {
  const reasons = exit?.cause ?? []
  const texts = reasons.flatMap(({ _tag, defect, error }) =>
    _tag === "Fail" ? [described(error)] : _tag === "Die" ? [described(defect)] : []
  )
  return texts.length === 0 ? undefined : texts.join("; ").replace(/\s+/g, " ").slice(0, 500)
}

/** Returns the status of a step, or of a run, that ended with an exit, or has none yet. */
export const statusOf = (exit: StoredExit | undefined): StoredStep["status"] =>
  exit === undefined
    ? "running"
    : exit._tag === "Success"
    ? "success"
    : statusOfCause(exit.cause ?? [])

const statusOfCause = (cause: ReadonlyArray<StoredReason>): "failure" | "interrupt" | "skip" => {
  const others = cause.filter(({ _tag }) => _tag !== "Interrupt")
  return others.length === 0 ? "interrupt" : others.every(isSkip) ? "skip" : "failure"
}

const isSkip = ({ _tag, error }: StoredReason): boolean =>
  _tag === "Fail" && hasProperty(error, "_tag") && error._tag === skippedTag

const time = (millis: number | undefined): DateTime.Utc | undefined =>
  millis === undefined ? undefined : DateTime.makeUnsafe(millis)

/** The records of a step. */
export interface Recorded extends StoredStep {
  readonly key: string
  readonly order: number | undefined
  readonly startedMillis: number
}

interface Parts {
  readonly attempts: Map<number, Stored>
  readonly all: Array<Stored>
  readonly hooks: Map<string, StoredHook["status"]>
  end: Stored | undefined
}

const partsOf = (prefix: string, rows: ReadonlyArray<ActivityRow>): Parts => {
  const parts: Parts = { attempts: new Map(), all: [], hooks: new Map(), end: undefined }
  for (const { attempt, exit, name } of rows) {
    const { value } = JSON.parse(exit) as StoredExit
    if (typeof value !== "object" || value === null) continue
    const stored = value as Stored // the cast: the library has recorded it under this name
    const rest = name.slice(prefix.length + 1)
    if (rest === "") parts.attempts.set(attempt, stored)
    if (rest === "end") parts.end = stored
    if (rest === "" || rest === "end" || rest === "start" || rest === "begun") parts.all.push(stored)
    if (/^hook\/[a-z]+\/\d+(?:\/\d+)?$/.test(rest) && stored.outcome !== undefined) {
      parts.hooks.set(rest.slice("hook/".length), stored.outcome)
    }
  }
  return parts
}

const hooksOf = ({ all, hooks }: Parts, exit: StoredExit | undefined, isOver: boolean): ReadonlyArray<StoredHook> => {
  const names = new Map<string, PendingHook>(
    all.flatMap(({ pendingHooks = [] }) => pendingHooks.map((hook) => [`${hook.kind}/${hook.index}`, hook] as const))
  )
  const ended = [...hooks].map(([place, status]): StoredHook => {
    const [kind = "", index = ""] = place.split("/")
    return { kind, name: names.get(`${kind}/${index}`)?.name ?? index, status }
  })
  // those of a failure are recorded with any other end, too, where a required hook can make it one
  const mayHaveFailed = statusOf(exit) === "failure" || ended.some(({ status }) => status === "failed")
  const pending = isOver ? [] : [...names].flatMap(([place, { kind, name }]): ReadonlyArray<StoredHook> =>
    // a run that has not failed has no use for its rollback hooks
    kind === "rollback" || (kind === "failure" && !mayHaveFailed) ||
      [...hooks.keys()].some((known) => known === place || known.startsWith(`${place}/`))
      ? []
      : [{ kind, name, status: "pending" }]
  )
  return [...ended, ...pending]
}

/** Returns the hooks of the run itself. In a run that `isOver` none is pending. */
export const runHooks = (rows: ReadonlyArray<ActivityRow>, isOver: boolean): ReadonlyArray<StoredHook> => {
  const parts = partsOf("run", rows.filter(({ name }) => name.startsWith("run/")))
  return hooksOf(parts, parts.end?.exit, isOver)
}

/** Returns the steps of which something is recorded, in the order in which they began. */
export const stepsOf = (rows: ReadonlyArray<ActivityRow>, isOver: boolean): ReadonlyArray<Recorded> => {
  const byKey = new Map<string, Array<ActivityRow>>()
  for (const row of rows) {
    const key = stepKeyIn(row.name)
    if (key === undefined) continue
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [row])
    else known.push(row)
  }
  const steps = [...byKey].map(([key, rows]): Recorded => {
    const parts = partsOf(`step/${key}`, rows)
    const last = parts.attempts.get(Math.max(0, ...parts.attempts.keys()))
    const end = parts.end ?? (last?.retry === undefined || last.exit?._tag === "Success" ? last : undefined)
    const starts = parts.all.flatMap(({ startedAt }) => startedAt ?? [])
    const startedMillis = starts.length === 0 ? Infinity : Math.min(...starts)
    const order = parts.all.find(({ order }) => order !== undefined)?.order
    return {
      key,
      order,
      startedMillis,
      name: shownStep(key),
      status: statusOf(end?.exit),
      attempts: (end ?? last)?.attempts ?? 1,
      startedAt: time(starts.length === 0 ? undefined : startedMillis),
      endedAt: time(end?.endedAt),
      why: whyOf(end?.exit ?? last?.exit),
      hooks: hooksOf(parts, end?.exit, isOver)
    }
  })
  return steps.toSorted((a, b) =>
    a.order !== undefined && b.order !== undefined ? a.order - b.order : a.startedMillis - b.startedMillis || 0
  )
}
