/** What can be known of where the process runs. */
import { fstatSync } from "node:fs"
import process from "node:process"
import type { Surroundings } from "./settings.ts"

/** @internal */
export const look = (): Surroundings => ({
  env: {
    CI: variable("CI"),
    FORCE_COLOR: variable("FORCE_COLOR"),
    GITHUB_ACTIONS: variable("GITHUB_ACTIONS"),
    NO_COLOR: variable("NO_COLOR"),
    TERM: variable("TERM")
  },
  isTTY: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  isPiped: (stream) => {
    try {
      const stats = fstatSync(stream === "stdout" ? 1 : 2)
      return stats.isFIFO() || stats.isSocket()
    } catch {
      return true
    }
  }
})

interface Permissions {
  readonly querySync: (descriptor: object) => { readonly state: string }
}

/** Deno may refuse to tell, or, on a terminal, ask a person first: nobody is asked for a matter of looks. */
const variable = (name: string): string | undefined => {
  try {
    const { Deno } = globalThis as { readonly Deno?: { readonly permissions?: Permissions } }
    const state = Deno?.permissions?.querySync({ name: "env", variable: name }).state
    return state === undefined || state === "granted" ? process.env[name] : undefined
  } catch {
    return undefined
  }
}
