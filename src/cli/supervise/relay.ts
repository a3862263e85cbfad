/** Passes on what a supervised child writes to standard error, made printable. */
import { errRelayed } from "../terminal.ts"

/** How much of a line is kept, in UTF-16 code units, before it is written without its end. */
const maxUnfinished = 16_384

/**
 * Matches what may become a workflow command or a character with the text that follows. Written by itself, it would be
 * let through.
 */
// oxlint-disable-next-line no-control-regex -- colours
const incomplete = /^(?:\s|\u001b\[[\d;]*m)*:$|#$|[\ud800-\udbff]$/

/** @internal */
export interface Relay {
  readonly take: (text: string) => void
  /** Writes the line that has no end. */
  readonly end: () => void
}

/** `patience` is how long the beginning of a line waits for the rest, in milliseconds: it may be a prompt. */
export const make = (write: (text: string) => void = errRelayed, patience = 50): Relay => {
  let rest = ""
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = () => {
    clearTimeout(timer)
    if (rest !== "") write(rest)
    rest = ""
  }
  return {
    take: (text) => {
      clearTimeout(timer)
      const all = rest + text
      const lines = all.lastIndexOf("\n") + 1
      rest = all.slice(lines)
      if (lines > 0) write(all.slice(0, lines))
      // a carriage return begins a line, too
      const line = rest.slice(rest.lastIndexOf("\r") + 1)
      const held = rest.endsWith("##") ? 2 : incomplete.test(line) ? 1 : 0
      if (rest.length > maxUnfinished) {
        write(rest.slice(0, rest.length - held))
        rest = rest.slice(rest.length - held)
      } else if (rest !== "" && held === 0) timer = setTimeout(end, patience)
    },
    end
  }
}
