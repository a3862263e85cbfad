/** Helpers that the tests of the command share. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Ended, root } from "../support/command.ts"

/** The folder of the fixtures, from the root of the repository, in which the command runs. */
export const fixtures = "test/cli/fixtures"

/** The module with most of the pipelines. */
export const pipelines: string = `${fixtures}/pipelines.ts`

/**
 * Creates an empty folder within the repository, and deletes it when the scope closes. A module in it can import the
 * library by name: Bun finds the library's sources by the `tsconfig.json` there, Deno and Node by the root's
 * `package.json`.
 */
export const projectFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    mkdirSync(join(root, "tmp"), { recursive: true })
    const path = mkdtempSync(join(root, "tmp/cli-"))
    writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json" }))
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Replaces durations below a minute with `n ms`, since they differ from run to run. */
export const withoutDurations = (text: string): string => text.replaceAll(/\d+ ms|\d+(?:\.\d)? s\b/g, "n ms")

/** Returns the lines of a text without durations and names of runs, which differ from run to run. */
export const timelessLines = (text: string): ReadonlyArray<string> =>
  withoutDurations(text).replaceAll(/\(run [^)]*\)/g, "(run)").trimEnd().split("\n")

/** Returns the id that a run with `--record` says. */
export const idIn = ({ stderr }: Ended): string => /^recorded: epilogue show (\S+)$/m.exec(stderr)?.[1] ?? stderr
