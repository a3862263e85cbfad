/** Says that Node is too old, before what it lacks is told as something else: modules in TypeScript, `node:sqlite`. */
import process from "node:process"
import { err } from "../terminal.ts"

/** Returns the warning for the versions of a runtime, or `undefined` for one that the package supports. */
export const oldNode = (versions: Readonly<Record<string, string | undefined>>): string | undefined => {
  // these two tell a version of Node, too
  if (versions["bun"] !== undefined || versions["deno"] !== undefined) return undefined
  const [major = 0, minor = 0] = (versions["node"] ?? "").split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
    ? undefined
    : `warning: this is Node ${versions["node"]}, and effect-epilogue needs Node 22.19 or later`
}

/** Prints the warning, if there is one. */
export const tellOldNode = (): void => {
  const warning = oldNode(process.versions)
  if (warning !== undefined) err(warning)
}
