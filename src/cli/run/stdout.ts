/** Standard output, where it is for events alone. */
import { Console } from "node:console"
import process from "node:process"

/**
 * From now on what a module or a pipeline prints goes where logs go, and what is given
 * to the function that comes back goes to standard output.
 */
export const keep = (): (text: string) => void => {
  const { stderr, stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  // not all runtimes print through the stream
  Object.assign(globalThis.console, new Console({ stdout: stderr, stderr }))
  return (text) => void write(text)
}
