/** Reserves standard output for events. */
import { Console } from "node:console"
import process from "node:process"

/**
 * Redirects what modules and pipelines print to standard error from now on, and returns a function that writes to
 * standard output.
 */
export const keep = (): (text: string) => void => {
  const { stderr, stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  // not every runtime's console writes through `process.stdout`
  Object.assign(globalThis.console, new Console({ stdout: stderr, stderr }))
  return (text) => void write(text)
}
