/** Ends the records of runs whose process has ended without a word. */
import * as Effect from "effect/Effect"
import { noteCrashOf } from "../../report/internal/record/crash.ts"
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
