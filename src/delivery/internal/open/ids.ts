/** Short names of open failures, for command lines. */
import * as Hash from "effect/Hash"

/** Returns the short name of a key, which is the same in all processes. */
export const idOf = (key: string): string => (Hash.string(key) >>> 0).toString(36).padStart(7, "0")
