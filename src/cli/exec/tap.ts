/**
 * A pipe between a command and an output of this process, which passes on what the command writes byte by byte and keeps
 * the end of it.
 *
 * **Details**
 *
 * It is a FIFO, and not a pipe of `node:child_process`: that is a socket on Node and Bun, on which `echo >/dev/stderr` in a
 * script fails, and it can't be both outputs of the command, which would lose the order of their lines. `mkfifo` makes it,
 * since no runtime can, and its file is removed at once. It is read by `fs.read` on a thread, which on Node is the one way
 * to read it that works on Bun and Deno, too.
 *
 * The command's processes may leave it open when the command has ended. So its end is a marker, which this process writes
 * after all that the command has written.
 */
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

/** A pipe to an output of this process. */
export interface Tap {
  /** The file descriptor to start the command with. */
  readonly fd: number
  /** Begins to pass on, once the command was started. */
  readonly begin: () => void
  /** Resolves when all that was written so far is passed on, and nothing more will be. */
  readonly end: () => Promise<void>
  /** Stops at once, as far as a write that is under way lets it. */
  readonly abort: () => void
}

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants

const chunk = 64 * 1024

/**
 * How many bytes Linux writes to a pipe as a whole, or not at all (https://man7.org/linux/man-pages/man7/pipe.7.html). Of
 * more, Deno does not tell how many it has written before the pipe was full.
 */
const atomic = 4096

interface Ends {
  readonly read: number
  readonly write: number
  /** Writes without blocking this process. */
  readonly own: number
}

/**
 * Opens a pipe to a file descriptor. `onLost` is called where that can't be written. Returns `undefined` where the system
 * can't make one.
 */
export const open = (
  to: 1 | 2,
  take: (bytes: Uint8Array) => void,
  onLost: (error: unknown) => void = () => {}
): Tap | undefined => {
  const ends = fifo()
  return ends === undefined ? undefined : make(ends, to, take, onLost)
}

const fifo = (): Ends | undefined => {
  for (const folder of [tmpdir(), "/dev/shm"]) {
    let made: string | undefined
    try {
      made = fs.mkdtempSync(join(folder, "epilogue-"))
      const path = join(made, "output")
      if (spawnSync("mkfifo", ["-m", "600", path], { stdio: "ignore" }).status !== 0) continue
      // to open one end would wait for the other
      const both = fs.openSync(path, O_RDWR | O_NONBLOCK)
      const read = fs.openSync(path, O_RDONLY)
      const write = fs.openSync(path, O_WRONLY)
      const own = fs.openSync(path, O_WRONLY | O_NONBLOCK)
      fs.closeSync(both)
      return { read, write, own }
    } catch {
      // a folder that can't be written to, or a system without FIFOs
    } finally {
      if (made !== undefined) fs.rmSync(made, { recursive: true, force: true })
    }
  }
  return undefined
}

const make = (
  { own, read, write }: Ends,
  to: number,
  take: (bytes: Uint8Array) => void,
  onLost: (error: unknown) => void
): Tap => {
  const marker = randomBytes(16)
  const buffer = Buffer.alloc(chunk)
  let state: "passing" | "ending" | "aborted" = "passing"
  /** The bytes that may be the beginning of the marker. */
  let held = Buffer.alloc(0)
  let resolve = (): void => {}
  const ended = new Promise<void>((done) => {
    resolve = done
  })
  const output = outputTo(to, () => state === "aborted", onLost)
  const close = (): void => {
    process.off("exit", wake)
    for (const fd of [read, own]) closeQuietly(fd)
    output.close()
    resolve()
  }
  // Node waits for the thread that reads before it exits
  const wake = (): void => {
    try {
      fs.writeSync(own, "\n")
    } catch {
      // full, so that the thread has something to read
    }
  }
  process.on("exit", wake)
  const pass = async (bytes: Uint8Array): Promise<boolean> => {
    take(bytes)
    return output.write(bytes)
  }
  const next = (): void =>
    fs.read(read, buffer, 0, chunk, null, (error, size) => {
      void (async () => {
        if (error !== null && error !== undefined || size === 0 || state === "aborted") return close()
        const bytes = buffer.subarray(0, size)
        if (state === "passing") return await pass(bytes) ? next() : close()
        const all = Buffer.concat([held, bytes])
        const at = all.indexOf(marker)
        if (at >= 0) {
          await pass(all.subarray(0, at))
          return close()
        }
        const kept = Math.min(all.length, marker.length - 1)
        held = all.subarray(all.length - kept)
        return await pass(all.subarray(0, all.length - kept)) ? next() : close()
      })()
    })
  const mark = (): void => {
    try {
      fs.writeSync(own, marker)
    } catch (error) {
      // full: the command has written more than was read
      if (codeOf(error) === "EAGAIN" && state === "ending") setTimeout(mark, 5)
    }
  }
  return {
    fd: write,
    begin: () => {
      fs.closeSync(write)
      next()
    },
    end: () => {
      if (state === "passing") {
        state = "ending"
        mark()
      }
      return ended
    },
    abort: () => {
      state = "aborted"
      wake()
    }
  }
}

interface Output {
  /** Writes all bytes. Resolves with whether there is somebody who reads them. */
  readonly write: (bytes: Uint8Array) => Promise<boolean>
  readonly close: () => void
}

/**
 * Returns an output whose reader may be slow or stopped, which must keep this process neither from a time limit nor from
 * exiting. So a pipe is opened once more, as one that does not block, and not switched to that: the command may have it,
 * too, and would lose output.
 */
const outputTo = (fd: number, isAborted: () => boolean, onLost: (error: unknown) => void): Output => {
  const again = fs.fstatSync(fd).isFIFO() ? reopened(fd) : undefined
  const some = (bytes: Uint8Array): Promise<number> =>
    again === undefined
      ? new Promise((resolve, reject) =>
        fs.write(fd, bytes, (error, size) => error === null || error === undefined ? resolve(size) : reject(error))
      )
      : Promise.resolve(fs.writeSync(again, bytes.subarray(0, atomic)))
  return {
    write: async (bytes) => {
      let rest = bytes
      for (let wait = 1; rest.length > 0 && !isAborted();) {
        try {
          rest = rest.subarray(await some(rest))
          wait = 1
        } catch (error) {
          if (codeOf(error) !== "EAGAIN") {
            onLost(error)
            return false
          }
          await new Promise((resolve) => setTimeout(resolve, wait))
          wait = Math.min(2 * wait, 50)
        }
      }
      return true
    },
    close: () => {
      if (again !== undefined) closeQuietly(again)
    }
  }
}

const reopened = (fd: number): number | undefined => {
  try {
    return fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK)
  } catch {
    return undefined
  }
}

const closeQuietly = (fd: number): void => {
  try {
    fs.closeSync(fd)
  } catch {
    // closed already
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined
