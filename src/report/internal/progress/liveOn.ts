/** Draws the tree on a stream of this process. */
import type * as Context from "effect/Context"
import { writeSync } from "node:fs"
import process from "node:process"
import { isTerminal, type StreamName } from "../../../internal/text/terminal.ts"
import { capture } from "./capture.ts"
import { Live } from "./live.ts"
import type { Terminal } from "./screen.ts"

/** @internal */
export const liveOn = (stream: StreamName, colors: boolean, context: Context.Context<never>): Live => {
  const watched = (["stdout", "stderr"] as const).filter((name) => name === stream || isTerminal(name))
  return new Live({ terminal: terminalOf(stream), colors, context, capture: (handlers) => capture(watched, handlers) })
}

const terminalOf = (name: StreamName): Terminal => {
  const fd = name === "stdout" ? 1 : 2
  return {
    // not by the stream, which may keep text for later, when the process has ended
    write: (text) => writeAll(fd, Buffer.from(text)),
    size: () => ({ columns: process[name].columns ?? 0, rows: process[name].rows ?? 0 })
  }
}

const writeAll = (fd: number, bytes: Uint8Array): void => {
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      // A terminal that is closed is no reason for a run to fail; one that is full takes more a millisecond later.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}
