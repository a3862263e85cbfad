/** Tells whether a process ended for lack of memory, by what its runtime writes and what the system counts. */
import { readFileSync } from "node:fs"

/**
 * The messages of runtimes that end for lack of memory: of V8 by itself, and within Node; of Bun; and of the
 * allocator of Rust, which Deno is written in.
 */
const messages: ReadonlyArray<RegExp> = [
  /# Fatal (?:JavaScript|process) out of memory: /,
  /Allocation failed - (?:JavaScript heap|process) out of memory/,
  /Bun (?:ran|has run) out of memory/,
  /memory allocation of \d{1,20} bytes failed/
]

/** More than the longest message has characters. */
const longest = 100

/** Looks for such a message in a text that arrives in pieces. */
export interface Watch {
  readonly take: (piece: string) => void
  /** Whether the message has come. */
  readonly found: () => boolean
}

/** Makes a watch. It keeps no more of the text than may be the beginning of a message. */
export const watch = (): Watch => {
  let found = false
  let rest = ""
  return {
    take: (piece) => {
      if (found) return
      const text = rest + piece
      found = messages.some((message) => message.test(text))
      rest = text.slice(-longest)
    },
    found: () => found
  }
}

/**
 * Returns how many processes of this control group the system has killed for lack of memory, or of the machine where
 * there is no such group.
 */
export const killsForMemory = (): number => {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8")
    } catch {
      return ""
    }
  }
  const group = /^0::(.*)$/m.exec(read("/proc/self/cgroup"))?.[1]
  const events = group === undefined ? "" : read(`/sys/fs/cgroup${group}/memory.events`)
  return Number(/^oom_kill (\d+)$/m.exec(events === "" ? read("/proc/vmstat") : events)?.[1] ?? 0)
}
