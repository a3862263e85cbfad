/** What tests of records look at. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Report } from "../../src/report/index.ts"

export const tempFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "record-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

/** The lines of a file. Throws where one is no JSON, or the last one is not ended. */
// oxlint-disable-next-line no-explicit-any -- tests look into it as they like
export const linesOf = (file: string): ReadonlyArray<any> => {
  const text = fs.readFileSync(file, "utf8")
  if (!text.endsWith("\n")) throw new Error("the last line is torn")
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line))
}

export const filesIn = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder).toSorted().map((name) => path.join(folder, name))

/** All that a record has, and what is left out of it. */
export const readAll = (file: string) =>
  Effect.suspend(() => {
    const skipped: Array<Report.Skipped> = []
    return Effect.map(
      Stream.runCollect(Report.read(file, { onSkipped: (one) => void skipped.push(one) })),
      (events) => ({ events, skipped })
    )
  })
