/** Makes `bunx epilogue` run on Bun, which obeys the first line of the command, `#!/usr/bin/env node`, without `--bun`. */
import process from "node:process"
import { err } from "../terminal.ts"

// a part of the types, since Node's do not say that what its later versions have may be missing
interface Process {
  readonly execve?: (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => void
}

/**
 * Replaces this process, if it is one of Node that `bunx` has started, by one of Bun. Where that is not possible, a line
 * says what to do: a job may import `bun`.
 */
export const useBun = (): void => {
  // first, since on Deno even to look at a variable takes a permission
  if (process.versions["bun"] !== undefined || process.versions["deno"] !== undefined) return
  const { env: { npm_lifecycle_event: event, ...env } } = process
  const bun = env["npm_execpath"]
  if (event !== "bunx" || bun === undefined) return
  const { execve }: Process = process
  if (execve === undefined || process.platform === "win32" || process.permission !== undefined) {
    return err("warning: this runs on Node: bunx --bun epilogue runs it on Bun")
  }
  // without the event, so that a process of the job that starts Node gets Node; named bun, since as bunx it would look for
  // a package with the name of the script
  execve.call(process, bun, ["bun", ...process.argv.slice(1)], env)
}
