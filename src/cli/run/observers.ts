/** Who is told what happens in a run: what shows it, and what records it. */
import * as Layer from "effect/Layer"
import process from "node:process"
import { isFresh } from "../../report/internal/record/names.ts"
import type { RecordError } from "../../report/RecordError.ts"
import * as RunEvent from "../../RunEvent.ts"
import type { Showing } from "../request.ts"
import { usualMode } from "../terminal.ts"

/** @internal */
export interface Observers {
  readonly layer: Layer.Layer<never, RecordError>
  /** How something is said on standard error at once, where that may not be by the file's number. */
  readonly say: ((text: string) => void) | undefined
  /** By what the first of the runs is found that have a file of their own. */
  readonly recorded: () => string | undefined
}

/**
 * `observer` is told in any case. `print` gives lines for people, or events for a program; a supervised run has plain
 * lines in place of a tree, as its supervisor writes to the same terminal what comes from it.
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
  const told = RunEvent.layer((event) => {
    if (first === undefined && isOwn(event.runId)) first = event.runId
    observer(event)
  }, ...(mode === "plain" ? [print] : []))
  const shown = mode === "tree" || mode === "github"
    ? (await import("../../report/Progress.ts")).layerProgress({ mode, stream: "stdout" }).pipe(
      Layer.provideMerge(told)
    )
    : told
  return {
    layer: record === undefined
      ? shown
      : (await import("../../report/Record.ts")).layerRecord(record === "" ? {} : { file: record }).pipe(
        Layer.provideMerge(shown)
      ),
    // what is written past the stream would go through the tree
    say: mode === "tree" && process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined,
    recorded: () =>
      json || record !== "" || first === undefined ? undefined : isFresh(first) ? first.slice(0, 8) : first
  }
}
