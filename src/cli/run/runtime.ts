/** How to start this process again. */
import process from "node:process"
import { deno, otherwise, permissionFlags, type Refused } from "./denoPermissions.ts"
import { programOf } from "./denoProgram.ts"

/** A command line. */
export interface CommandLine {
  readonly command: string
  readonly args: ReadonlyArray<string>
}

/**
 * Returns the command line of this process: the runtime with its flags, the script and its arguments. On Deno the flags
 * are those of its permissions, and where these can't be known there is a reason in place of the command line.
 */
export const again = async (): Promise<CommandLine | Refused> => {
  const [, script = "", ...args] = process.argv
  const runtime = deno()
  // `undefined` on Bun and Deno, and without `--permission`, which its type leaves out
  const node: { readonly has: (scope: string) => boolean } | undefined = process.permission
  if (runtime === undefined && node?.has("child") === false) {
    return { refused: `Node does not let this process start another one: add --allow-child-process, ${otherwise}` }
  }
  const flags = runtime === undefined ? process.execArgv : await permissionFlags(runtime)
  if ("refused" in flags) return flags
  const program = runtime === undefined
    ? [...flags, script]
    : ["run", ...flags, ...programOf(script, args, flags, runtime.commandLine)]
  return { command: process.execPath, args: [...program, ...args] }
}
