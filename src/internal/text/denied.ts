/** Reads what Deno says of a permission that the program was not given. */
import { hasProperty } from "effect/Predicate"
import { readOr } from "./read.ts"

/** Matches the advice in such a message. */
export const denoFlag = /(run again with the --allow-\w+ flag)/

/** Stands between what Deno requires and the flag that grants it. */
const middle = ", run again with the "

/** Says which flag is missing and where it goes, if an error says that Deno does not allow something. */
export const deniedText = (error: unknown): string | undefined => {
  if (!hasProperty(error, "name") || readOr(undefined, () => error.name) !== "NotCapable") return undefined
  const message = readOr("", () => hasProperty(error, "message") ? String(error.message) : "")
  const [what = "", flag = ""] = message.split(middle)
  return `Deno ${what.charAt(0).toLowerCase()}${what.slice(1)}${
    flag === "" ? "" : `: add ${flag.replace(" flag", "")} after deno run, before the script`
  }`
}
