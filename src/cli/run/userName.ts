/** Names the person who uses the command. */
import { userInfo } from "node:os"
import process from "node:process"

/** Returns the name of the user, from the environment where the runtime does not know it. */
export const userName = (): string => {
  try {
    const { username } = userInfo()
    if (username !== "" && username !== "unknown") return username
  } catch {}
  return process.env["USER"] ?? process.env["LOGNAME"] ?? "unknown"
}
