/** Ctrl-C, once and twice. */
import { writeSync } from "node:fs"
import { ExitCode } from "../request.ts"

const signals = ["SIGINT", "SIGTERM"] as const

/** At once, since the process may end right after. A closed pipe is no reason to stay. */
const atOnce = (text: string): void => {
  try {
    writeSync(2, text)
  } catch {}
}

/**
 * The first signal, at which it is said what follows, interrupts the run, whose hooks and
 * finalizers run; the second quits, and says what it cut off, unless that is for a
 * supervisor to do, who passes signals on that came to both. Gives back what removes the
 * listeners.
 */
export const listen = (
  says: () => string,
  interrupt: () => void,
  open: (() => ReadonlyArray<string>) | undefined,
  write: (text: string) => void = atOnce
): () => void => {
  const say = (text: string) => write(`${text}\n`)
  let received = false
  const onSignal = () => {
    if (!received) {
      received = true
      if (open !== undefined) say(`${says()}; once more (Ctrl-C) quits at once`)
      interrupt()
      return
    }
    if (open === undefined) return
    const lines = open()
    say(lines.length === 0 ? "quit" : ["quit, and cut off:", ...lines.map((line) => `  ${line}`)].join("\n"))
    process.exit(ExitCode.interrupted)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
