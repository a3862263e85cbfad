/** What the file of a run is called: by the time it started, so that names sort by it, its pipeline and its id. */
import type { Modules } from "./files.ts"

const extension = ".jsonl"

/** As in `20261123T124012345Z`. */
const stamp = (millis: number): string => new Date(millis).toISOString().replaceAll(/[-:.]/g, "")

/** What is safe in the name of a file anywhere. Dots divide its parts. */
const safe = (text: string, max: number): string => text.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, max)

/** Ids that look the same when they are made safe must not share a file. */
const safeId = (id: string): string => {
  const kept = safe(id, 64)
  if (kept === id) return kept
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return `${kept}~${(hash >>> 0).toString(16).padStart(8, "0")}`
}

/** @internal */
export interface RunOf {
  readonly pipelineName: string
  readonly runId: string
}

/** @internal */
export const fileName = ({ pipelineName, runId }: RunOf, startedAt: number): string =>
  `${stamp(startedAt)}.${safe(pipelineName, 60) || "run"}.${safeId(runId)}${extension}`

/** Whether the name is that of a run whose id may begin so. */
export const mayBe = (name: string, idOrPrefix: string): boolean => {
  const [, , id] = name.split(".")
  return id !== undefined && id.startsWith(safe(idOrPrefix, 64))
}

/** @internal */
export const isRecordName = (name: string): boolean => /^\d{8}T\d{9}Z\.[\w-]+\.[\w~-]*\.jsonl$/.test(name)

/** The name that the run's file has already, where another process, or this one before, recorded a part of it. */
export const existing = ({ fs }: Modules, folder: string, { runId }: RunOf): string | undefined => {
  const end = `.${safeId(runId)}${extension}`
  // the oldest, in case there are several
  return fs.readdirSync(folder).filter((name) => isRecordName(name) && name.endsWith(end)).toSorted()[0]
}

/** Where nothing else is said a run gets one of these, which no other run has. */
export const isFresh = (id: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
