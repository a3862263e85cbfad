/** The observers of a run: its display, and its record. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import type { ConfigFile } from "../../config/index.ts"
import { codeOf, withWords } from "../../internal/files/private.ts"
import { checkReplaced } from "../../internal/files/replace.ts"
import { isTerminal, variable } from "../../internal/text/terminal.ts"
import type { RecordPlace } from "../../report/internal/record/crash.ts"
import { defaultFolder, isFresh, mayBe } from "../../report/internal/record/names.ts"
import type { RecordOptions } from "../../report/Record.ts"
import type { RecordError } from "../../report/RecordError.ts"
import * as RunEvent from "../../RunEvent.ts"
import { type Showing, UsageError } from "../request.ts"
import { deniedText, err, usualMode } from "../terminal.ts"

/** @internal */
export interface Observers {
  readonly layer: Layer.Layer<never, RecordError | UsageError>
  /** Records runs as a config file says, unless the command line says where to. Takes effect before the layer is built. */
  readonly recordAs: (record: ConfigFile.RecordDocument) => void
  /** Writes a line to standard error at once. Set where writing to the file descriptor itself would garble the tree. */
  readonly say: ((line: string) => void) | undefined
  /** Says where the first own run was recorded, if in a file of its own, or that it was not, on a full disk for example. */
  readonly recorded: () => string | undefined
}

/**
 * Makes the observers of a command.
 *
 * `observer` receives every event; `print` receives them where they are displayed as lines, or as JSON. The tree of a
 * supervised run is drawn by its supervisor, which also writes to the terminal.
 */
export const make = async (
  { json, junit, progress, record }: Showing,
  { isOwn, isShown, observer, onRecording, print }: {
    /** Whether another process shows the runs. */
    readonly isShown: boolean
    /** Called with the place of the records before the first run is recorded. */
    readonly onRecording: (place: RecordPlace) => void
    readonly isOwn: (runId: string) => boolean
    readonly observer: RunEvent.Observer
    readonly print: RunEvent.Observer
  }
): Promise<Observers> => {
  const mode = json ? "plain" : isShown ? "none" : shownAs(progress)
  let first: string | undefined
  const base = RunEvent.layer((event) => {
    if (first === undefined && isOwn(event.runId)) first = event.runId
    observer(event)
  }, ...(mode === "plain" ? [print] : []))
  const summarized = await summaries(junit, base)
  const shown = mode === "tree" || mode === "github" || mode === "gitlab"
    ? (await import("../../report/Progress.ts")).layerProgress({ mode, stream: "stdout" }).pipe(
      Layer.provideMerge(summarized)
    )
    : summarized
  // before a step can change the working directory
  const folder = resolve(defaultFolder)
  let recording: RecordOptions | undefined = record === undefined ? undefined : record === "" ? {} : { file: record }
  return {
    layer: Layer.unwrap(Effect.promise(async () => {
      if (recording === undefined) return shown
      onRecording({
        path: recording.file === undefined ? folder : resolve(recording.file),
        isFile: recording.file !== undefined
      })
      return Layer.provideMerge((await import("../../report/Record.ts")).layerRecord(recording), shown)
    })),
    recordAs: ({ keep }) => {
      if (recording?.file === undefined) recording = { keep }
    },
    // the stream's `write` is the tree's, which prints the text above it
    say: mode === "tree" && isTerminal("stderr") ? err : undefined,
    recorded: () =>
      json || recording === undefined || recording.file !== undefined || first === undefined
        ? undefined
        : hasRecord(folder, first)
        ? `recorded: epilogue show ${isFresh(first) ? first.slice(0, 8) : first}`
        : `not recorded: nothing of the run is in ${defaultFolder}`
  }
}

/** Returns whether a file of a run has anything in it. */
const hasRecord = (folder: string, runId: string): boolean => {
  try {
    return readdirSync(folder).some((name) => mayBe(name, runId) && statSync(join(folder, name)).size > 0)
  } catch {
    return false
  }
}

/** Returns how runs are displayed. */
export const shownAs = (progress: Showing["progress"]): Exclude<Showing["progress"], "auto"> =>
  progress === "auto" ? usualMode() : progress

/** Adds the observers that write test results, and the summary of a job on GitHub Actions. */
const summaries = async (
  junit: string | undefined,
  base: Layer.Layer<never>
): Promise<Layer.Layer<never, UsageError>> => {
  const hasSummary = (variable("GITHUB_STEP_SUMMARY") ?? "") !== ""
  if (junit === undefined && !hasSummary) return base
  const { layerJobSummary, layerJunit } = await import("../../report/Summary.ts")
  const summarized = hasSummary ? Layer.provideMerge(layerJobSummary(), base) : base
  return junit === undefined
    ? summarized
    : Layer.unwrap(Effect.as(checkJunit(junit), Layer.provideMerge(layerJunit({ file: junit }), summarized)))
}

/** Fails where the file can't be written, before a run that would end with that. */
const checkJunit = (file: string): Effect.Effect<void, UsageError> =>
  Effect.try({
    try: () => checkReplaced(file),
    catch: (cause) =>
      new UsageError({ message: `--junit: can't write ${file}: ${deniedText(cause) ?? withWords(codeOf(cause))}` })
  })
