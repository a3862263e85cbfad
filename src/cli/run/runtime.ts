/** The runtime that the command runs on. */
import process from "node:process"

/** What starts this command line again: the same runtime and flags, the same script and arguments. */
export const again = (): { readonly command: string; readonly args: ReadonlyArray<string> } => {
  const [, script = "", ...args] = process.argv
  // Deno does not say what it may do; whoever may start processes may do all through them
  const flags = "Deno" in globalThis ? ["run", "--allow-all"] : process.execArgv
  return { command: process.execPath, args: [...flags, script, ...args] }
}
