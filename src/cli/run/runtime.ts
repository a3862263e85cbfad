/** How to start this process again. */
import process from "node:process"

/** Returns the command line of this process: the runtime with its flags, the script and its arguments. */
export const again = (): { readonly command: string; readonly args: ReadonlyArray<string> } => {
  const [, script = "", ...args] = process.argv
  // Deno does not reveal its permissions; a process that may start others has all of them anyway
  const flags = "Deno" in globalThis ? ["run", "--allow-all"] : process.execArgv
  return { command: process.execPath, args: [...flags, script, ...args] }
}
