/** Reserves standard output for events. */
// oxlint-disable-next-line eslint/no-restricted-imports -- redirects the console
import { Console } from "node:console"
import process from "node:process"
import { printableJson } from "../../internal/text/printable.ts"

/**
 * Redirects what modules and pipelines print to standard error from now on, and returns a function that writes lines of
 * JSON to standard output.
 */
export const keep = (): (text: string) => void => {
  // oxlint-disable-next-line eslint/no-restricted-properties -- redirects the stream
  const { stderr, stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  // not every runtime's console writes through `process.stdout`
  Object.assign(globalThis.console, new Console({ stdout: stderr, stderr }))
  return (json) => void write(printableJson(json))
}

/** Returns a function that writes an object as a line of JSON, by a function that writes text. */
export const jsonLines = (write: (text: string) => void) => (value: unknown): void =>
  write(`${JSON.stringify(value)}\n`)
