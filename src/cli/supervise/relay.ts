/** Passes on what a supervised child writes to standard error, made printable. */
import { errRelayed } from "../terminal.ts"

/** How long the beginning of a line waits for the rest of it, in milliseconds: it may be a prompt. */
const patience = 50

/** How much of a line is kept, in UTF-16 code units, before it is written without its end. */
const maxUnfinished = 16_384

/** @internal */
export interface Relay {
  readonly take: (text: string) => void
  /** Writes the line that has no end. */
  readonly end: () => void
}

/** @internal */
export const make = (write: (text: string) => void = errRelayed): Relay => {
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
      if (rest.length > maxUnfinished) end()
      // the beginning of a workflow command or of a character: written by itself, nobody could tell what it becomes
      else if (rest !== "" && !/[:#\ud800-\udbff]$/.test(rest)) timer = setTimeout(end, patience)
    },
    end
  }
}
