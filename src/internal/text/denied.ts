/** Reads what Deno says of a permission that the program was not given. */
import { textProperty } from "./read.ts"

/** Matches the advice in such a message. */
export const denoFlag = /(run again with the --allow-\w+ flag)/

/** Stands between what Deno requires and the flag that grants it. */
const middle = ", run again with the "

/** Says which flag is missing and where it goes, if an error says that Deno does not allow something. */
export const deniedText = (error: unknown): string | undefined => {
  if (typeof error !== "object" || error === null || textProperty(error, "name") !== "NotCapable") return undefined
  const [what = "", flag = ""] = (textProperty(error, "message") ?? "").split(middle)
  return `Deno ${what.charAt(0).toLowerCase()}${what.slice(1)}${
    flag === "" ? "" : `: add ${flag.replace(" flag", "")} after deno run, before the script`
  }`
}
