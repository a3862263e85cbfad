/** Ends the records of runs whose process has ended without a word. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Alert } from "../../Alert.ts"
import type { Told } from "../../internal/alerts/reports.ts"
import { toEventJson } from "../../report/internal/events/eventJson.ts"
import { noteCrashOf, noteEvent } from "../../report/internal/record/crash.ts"
import { failure, modules } from "../../report/internal/record/files.ts"
import type { Death } from "./alerts.ts"
import type { State } from "./state.ts"

/** Notes in the records of the child's open runs how it ended. `say` prints why that failed. */
export const endRecords = (
  { held, recording, runs }: State,
  { at, code, signal }: Death,
  say: (line: string) => void
): Effect.Effect<void> =>
  recording === undefined
    ? Effect.void
    : modules(recording.path).pipe(
      Effect.flatMap((loaded) =>
        Effect.forEach(new Map([...held, ...runs]).values(), (run) =>
          Effect.try({
            try: () =>
              noteCrashOf(loaded, recording, run, { at, signal, exitCode: signal === undefined ? code : undefined }),
            catch: (cause) => failure(recording.path, "note the end of a run in", cause)
          }), { discard: true })
      ),
      Effect.catch(({ message }) => Effect.sync(() => say(message)))
    )

/** Adds to the record of its run what becomes of an alert that the supervisor posts. */
export type NoteAlert = (alert: Alert, told: Told) => void

/** How many results are added: after a crash during many steps, each has an alert, and those that waited are posted again. */
const mostNoted = 200

/** Makes a {@link NoteAlert} for the child's open runs. `say` prints why one failed. */
export const alertNotes = (
  { held, recording, runs }: State,
  say: (line: string) => void
): Effect.Effect<NoteAlert> => {
  const names = new Map([...held, ...runs])
  if (recording === undefined || names.size === 0) return Effect.succeed(() => {})
  let left = mostNoted
  return modules(recording.path).pipe(
    Effect.map((loaded): NoteAlert => ({ source }, told) => {
      const run = source === undefined ? undefined : names.get(source.runId)
      if (run === undefined || left === 0) return
      left--
      const { pipelineName, runId, runName } = run
      const at = DateTime.makeUnsafe(Date.now())
      try {
        noteEvent(loaded, recording, toEventJson({ ...told, pipelineName, runId, runName, at }))
      } catch (cause) {
        left = 0
        say(failure(recording.path, "note an alert in", cause).message)
      }
    }),
    Effect.catch(() => Effect.succeed(() => {}))
  )
}
