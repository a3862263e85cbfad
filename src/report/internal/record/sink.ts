/** A file to which lines are added while others may do the same. */
import { codeOf, endsLine, type Modules, openToAppend, writeAll } from "./files.ts"
import { lostLine } from "./format.ts"
import type { Pen } from "./pen.ts"

/** A write takes some microseconds, so that so many in a millisecond are hardly felt. */
const writesAMillisecond = 4

/** In bytes. */
const maxPending = 64 * 1024

/** What several sinks share. */
export interface Shared {
  readonly modules: Modules
  readonly pen: Pen
  /** Whose lines the pen has. */
  writing: Sink | undefined
  /** Those whose file is open, the one that was written last at the end. */
  readonly open: Set<Sink>
  /** How many files may be open at once: a process has no more than some hundred. */
  readonly maxOpen: number
  /** Whether the layer has ended. A run that outlives it is recorded all the same, but nobody would close its file. */
  ended: boolean
  /** Is told what could not be written, and how many events that were. */
  readonly onFailure: (path: string, operation: string, cause: unknown, events: number) => void
}

/**
 * Lines are written at once as long as they are few, and together where they are many: then up to `maxPending`, or what
 * comes within a millisecond. What is written is so for good, unless the whole machine goes down.
 */
export class Sink {
  readonly path: string
  private readonly shared: Shared
  private readonly header: string
  private fd: number | undefined
  /** Lines that are not written yet, while the pen is another's. */
  private parked: Uint8Array | undefined
  private lines = 0
  private millis = 0
  private writes = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Whether the file ends in the middle of a line. `undefined` where it has to be looked at. */
  private torn: boolean | undefined
  private headed = false
  private lost = 0
  /** Raised when something was lost: what was said in it has to be said again. */
  generation = 0

  constructor(path: string, header: string, shared: Shared) {
    this.path = path
    this.header = header
    this.shared = shared
  }

  /** To write a line with, which is to be {@link add}ed. */
  get pen(): Pen {
    const { shared } = this
    const { pen, writing } = shared
    if (writing !== this) {
      if (writing !== undefined && pen.length > 0) writing.parked = pen.bytes.slice(0, pen.length)
      shared.writing = this
      pen.length = 0
      const { parked } = this
      if (parked !== undefined) {
        pen.makeRoom(parked.length)
        pen.put(parked)
        this.parked = undefined
      }
    }
    return pen
  }

  /** The pen has another line, of what happened at that time. The last one of a run does not wait for others. */
  add(at: number, last = false): void {
    this.lines++
    if (at !== this.millis) {
      this.millis = at
      this.writes = 0
    }
    if (this.shared.ended) this.close()
    else if (this.writes < writesAMillisecond || last || this.shared.pen.length > maxPending) {
      this.writes++
      this.flush()
    } else {
      this.timer ??= setTimeout(() => this.flush(), 1)
    }
  }

  flush(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer)
      this.timer = undefined
    }
    if (this.lines === 0) return
    const { lines, pen, shared } = this
    this.lines = 0
    let operation = "open"
    try {
      const fd = this.opened()
      operation = "write"
      if (this.lost > 0 || !this.headed || this.torn !== false) this.prefix(pen)
      writeAll(shared.modules, fd, pen, () => {
        this.torn = true
      })
      this.torn = false
      this.headed = true
      this.lost = 0
    } catch (cause) {
      if (operation === "write") this.forget(cause)
      this.lost += lines
      this.headed = false
      this.generation++
      shared.onFailure(this.path, operation, cause, lines)
    }
    pen.clear()
  }

  /** What has to stand before the lines. */
  private prefix(pen: Pen): void {
    const lines = pen.bytes.slice(0, pen.length)
    pen.length = 0
    if (this.torn !== false) pen.text("\n")
    if (!this.headed) pen.text(this.header)
    if (this.lost > 0) pen.text(lostLine(this.lost))
    pen.makeRoom(lines.length)
    pen.put(lines)
  }

  /** Throws where it can't be opened. */
  opened(): number {
    const { modules, open } = this.shared
    if (this.fd !== undefined) {
      if (open.size > 1) {
        open.delete(this)
        open.add(this)
      }
      return this.fd
    }
    for (const oldest of open) {
      if (open.size < this.shared.maxOpen) break
      oldest.release()
    }
    const fd = openToAppend(modules, this.path)
    this.fd = fd
    open.add(this)
    // somebody may have removed it while it was closed
    if (modules.fs.fstatSync(fd).size === 0) this.headed = false
    this.torn ??= !endsLine(modules, this.path, fd)
    return fd
  }

  /** What can't be written to is opened anew for the next write: as it is, it may never be good for any again. */
  private forget(cause: unknown): void {
    const { modules: { fs }, open } = this.shared
    const { fd } = this
    this.fd = undefined
    open.delete(this)
    // a number that is no file of ours any more may become another's
    if (fd === undefined || codeOf(cause) === "EBADF") return
    try {
      fs.closeSync(fd)
    } catch {
      // it is told already
    }
  }

  close(): void {
    this.flush()
    this.release()
  }

  private release(): void {
    if (this.fd === undefined) return
    this.shared.open.delete(this)
    try {
      this.shared.modules.fs.closeSync(this.fd)
    } catch (cause) {
      // a file system over a network may say only now that it is full
      this.shared.onFailure(this.path, "close", cause, 0)
    }
    this.fd = undefined
  }
}
