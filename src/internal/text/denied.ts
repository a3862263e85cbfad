/** Reads what Deno says of a permission that the program was not given. */
import { textProperty } from "./read.ts"

/** Matches the advice in such a message. */
const advice = /run again with the --allow-(\w+) flag/

/** The part of Deno's global that tells of permissions. Its types are not those of this project. */
interface Permissions {
  readonly querySync: (descriptor: { readonly name: string }) => { readonly state: string; readonly partial?: boolean }
}

/** Whether a permission, or a part of it, was denied by a flag, which wins over those that grant it. */
const isDenied = (name: string): boolean => {
  const { Deno } = globalThis as { readonly Deno?: { readonly permissions: Permissions } }
  try {
    const { partial, state } = Deno!.permissions.querySync({ name })
    return state === "denied" || (state === "granted" && partial === true)
  } catch {
    return false
  }
}

/** Returns what helps by such a message: Deno advises to grant even what was denied. */
export const denoAdvice = (message: string): string | undefined => {
  const [granting, name = ""] = advice.exec(message) ?? []
  return granting !== undefined && isDenied(name) ? `run again without --deny-${name}` : granting
}

/** Says which flag is missing and where it goes, if an error says that Deno does not allow something. */
export const deniedText = (error: unknown): string | undefined => {
  if (typeof error !== "object" || error === null || textProperty(error, "name") !== "NotCapable") return undefined
  const message = textProperty(error, "message") ?? ""
  const [what = ""] = message.split(", run again with the ")
  const [, name] = advice.exec(message) ?? []
  const helps = name === undefined
    ? ""
    : isDenied(name)
    ? `: leave out the --deny-${name} after deno run`
    : `: add --allow-${name} after deno run, before the script`
  return `Deno ${what.charAt(0).toLowerCase()}${what.slice(1)}${helps}`
}
