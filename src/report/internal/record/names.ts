/** Names the file of a run by the time of its first event, so that names sort by age, its pipeline and its id. */
import type * as NodeFs from "node:fs"
import type { Modules } from "./files.ts"

/** The folder of the records, in the working directory, unless another one is set. */
export const defaultFolder = ".epilogue/runs"

const extension = ".jsonl"

/** Formats a time, as in `20261123T124012345Z`. */
const stamp = (millis: number): string => new Date(millis).toISOString().replaceAll(/[-:.]/g, "")

/**
 * Replaces characters that some system forbids in the name of a file, and dots, which separate the parts of the name.
 */
const safe = (text: string, max: number): string => text.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, max)

/** Makes an id safe. An id that changes thereby gets a hash (FNV-1a), so that no two ids share a file. */
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

/** Returns whether a name may be that of a run whose id is, or begins with, the given one. */
export const mayBe = (name: string, idOrPrefix: string): boolean => {
  const [, , id] = name.split(".")
  return id !== undefined && id.startsWith(safe(idOrPrefix, 64))
}

/** @internal */
export const isRecordName = (name: string): boolean => /^\d{8}T\d{9}Z\.[\w-]+\.[\w~-]*\.jsonl$/.test(name)

/**
 * Returns the names of a folder's records. A link is none, since anybody may have put it there, and neither is a pipe,
 * which would have to be waited for.
 */
export const recordNames = (entries: ReadonlyArray<NodeFs.Dirent>): ReadonlyArray<string> =>
  entries.flatMap((entry) => entry.isFile() && isRecordName(entry.name) ? [entry.name] : [])

/** Returns the names of a folder's files that may be records of several runs. */
export const sharedNames = (entries: ReadonlyArray<NodeFs.Dirent>): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry.isFile() && entry.name.endsWith(extension) && !entry.name.startsWith(".") && !isRecordName(entry.name)
      ? [entry.name]
      : []
  )

/**
 * Returns the name of the file to which an earlier recorder, here or in another process, recorded a part of the run.
 */
export const existing = ({ fs }: Modules, folder: string, { runId }: RunOf): string | undefined => {
  const end = `.${safeId(runId)}${extension}`
  // if there are several, the oldest
  return recordNames(fs.readdirSync(folder, { withFileTypes: true })).filter((name) => name.endsWith(end)).toSorted()[0]
}

/** Returns whether an id is a random UUID, as a run gets unless it is given one: no file can exist for it yet. */
export const isFresh = (id: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
