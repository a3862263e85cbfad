import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/**
 * Creates an empty folder in another one, by default the system's for temporary files, and deletes it when the scope closes.
 */
export const temporaryFolder = (prefix: string, within = os.tmpdir()): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      fs.mkdirSync(within, { recursive: true })
      return fs.mkdtempSync(path.join(within, `epilogue-${prefix}-`))
    }),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )
