/** The observers of a run: its display, and its record. */
import * as Layer from "effect/Layer"
import { isTerminal } from "../../internal/text/terminal.ts"
import { isFresh } from "../../report/internal/record/names.ts"
import type { RecordError } from "../../report/RecordError.ts"
import * as RunEvent from "../../RunEvent.ts"
import type { Showing } from "../request.ts"
import { err, usualMode } from "../terminal.ts"

/** @internal */
export interface Observers {
  readonly layer: Layer.Layer<never, RecordError>
  /** Writes a line to standard error at once. Set where writing to the file descriptor itself would garble the tree. */
  readonly say: ((line: string) => void) | undefined
  /** Returns the id (or its beginning) of the first own run that was recorded in a file of its own. */
  readonly recorded: () => string | undefined
}

/**
 * Makes the observers of a command.
 *
 * `observer` receives every event; `print` receives them where they are displayed as lines, or as JSON. A supervised
 * run is displayed as plain lines in place of a tree, since its supervisor writes to the same terminal and would garble
 * the tree.
 */
export const make = async (
  { json, progress, record }: Showing,
  { isOwn, isSupervised, observer, print }: {
    readonly isSupervised: boolean
    readonly isOwn: (runId: string) => boolean
    readonly observer: RunEvent.Observer
    readonly print: RunEvent.Observer
  }
): Promise<Observers> => {
  const wanted = json ? "plain" : progress === "auto" ? usualMode() : progress
  const mode = wanted === "tree" && isSupervised ? "plain" : wanted
  let first: string | undefined
  const base = RunEvent.layer((event) => {
    if (first === undefined && isOwn(event.runId)) first = event.runId
    observer(event)
  }, ...(mode === "plain" ? [print] : []))
  const shown = mode === "tree" || mode === "github"
    ? (await import("../../report/Progress.ts")).layerProgress({ mode, stream: "stdout" }).pipe(
      Layer.provideMerge(base)
    )
    : base
  return {
    layer: record === undefined
      ? shown
      : (await import("../../report/Record.ts")).layerRecord(record === "" ? {} : { file: record }).pipe(
        Layer.provideMerge(shown)
      ),
    // the stream's `write` is the tree's, which prints the text above it
    say: mode === "tree" && isTerminal("stderr") ? err : undefined,
    recorded: () =>
      json || record !== "" || first === undefined ? undefined : isFresh(first) ? first.slice(0, 8) : first
  }
}
