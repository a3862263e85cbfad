/** Ends the process, and tells where something else does. */
import process from "node:process"
import { ExitCode } from "../request.ts"
import { errAtOnce } from "../terminal.ts"

/** Whether the command itself ends the process. */
let isEnding = false

/** Ends the process. */
export const end = (code: number): void => {
  isEnding = true
  process.exit(code)
}

/**
 * Returns a listener that says so where something else ends the process before the command does, as a library that calls
 * `process.exit`, says what that cuts off, and makes no success of it.
 */
export const onExit = (cutOff: () => ReadonlyArray<string>) => (code: number): void => {
  if (isEnding) return
  isEnding = true
  errAtOnce("error: the process was ended, as by process.exit, before the command was done")
  for (const line of cutOff()) errAtOnce(line)
  if (code === ExitCode.success) process.exit(ExitCode.failed)
}
