/** Appends lines to a file to which other processes may append, too. */
import { codeOf } from "../../../internal/files/private.ts"
import { settle } from "./encode.ts"
import { endsLine, type Modules, openToAppend, writeAll } from "./files.ts"
import { lostLine } from "./format.ts"
import type { Pen } from "./pen.ts"

/**
 * How many lines are written at once, one by one, before further ones are held back. One more may be with each
 * millisecond: a write takes a few microseconds, which a burst of steps of a microsecond each would notice.
 */
const mostAtOnce = 4

/** How many bytes are held back at most. Writing them takes two thirds of the time of writing a quarter four times. */
const maxPending = 256 * 1024

/** The state that all sinks of a recorder share. */
export interface Shared {
  readonly modules: Modules
  readonly pen: Pen
  /** The sink whose lines are in the pen. */
  writing: Sink | undefined
  /** The sinks whose file is open, the least recently written first. */
  readonly open: Set<Sink>
  /** How many files may be open at once. */
  readonly maxOpen: number
  /** Whether the layer has ended. Then each line closes its file: a run that outlives the layer is still recorded. */
  ended: boolean
  /** Called when events could not be written. */
  readonly onFailure: (path: string, operation: string, cause: unknown, events: number) => void
}

/**
 * Writes lines at once while they are few: four, and one more with each millisecond. It writes the rest together: a
 * millisecond later, or when `maxPending` bytes are reached. Written lines survive the process, but not a crash of the
 * machine.
 */
export class Sink {
  readonly path: string
  private readonly shared: Shared
  private readonly header: string
  private fd: number | undefined
  /** Lines that are not written yet, kept here while another sink uses the pen. */
  private parked: Uint8Array | undefined
  private lines = 0
  private millis = 0
  /** How many lines may still be written at once. */
  private atOnce = mostAtOnce
  private timer: ReturnType<typeof setTimeout> | undefined
  /** The size of the file after the last write, if that is known. */
  private end: number | undefined
  /** Whether the file ends in the middle of a line. */
  private torn = false
  private headed = false
  private lost = 0
  /** Incremented when lines are lost: names may be among them, and have to be written again. */
  generation = 0

  constructor(path: string, header: string, shared: Shared) {
    this.path = path
    this.header = header
    this.shared = shared
  }

  /** The pen to encode a line with. The caller then calls {@link add}. */
  get pen(): Pen {
    const { shared } = this
    const { pen, writing } = shared
    if (writing !== this) {
      settle(pen)
      if (writing !== undefined && pen.length > 0) writing.parked = pen.bytes.slice(0, pen.length)
      shared.writing = this
      pen.clear()
      const { parked } = this
      if (parked !== undefined) {
        pen.makeRoom(parked.length)
        pen.put(parked)
        this.parked = undefined
      }
    }
    return pen
  }

  /** Takes the line that was just encoded. `at` is the time of its event. The last line of a run is written at once. */
  add(at: number, last = false): void {
    this.lines++
    if (at !== this.millis) {
      // more at once, too, where the clock was set back
      this.atOnce = Math.min(mostAtOnce, this.atOnce + Math.abs(at - this.millis))
      this.millis = at
    }
    if (this.shared.ended) this.close()
    else if (this.atOnce > 0 || last || this.shared.pen.length > maxPending) {
      if (this.atOnce > 0) this.atOnce--
      this.flush()
    } else {
      this.timer ??= this.later()
    }
  }

  /** Takes note that an event was added to the last line, which is not written yet. */
  extend(): void {
    this.lines++
    if (this.shared.pen.length > maxPending) this.flush()
  }

  private later(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.flush(), 1)
  }

  flush(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer)
      this.timer = undefined
    }
    if (this.lines === 0) return
    const { lines, pen, shared } = this
    settle(pen)
    this.lines = 0
    let operation = "open"
    try {
      const fd = this.opened()
      operation = "write"
      const size = this.look(fd)
      if (this.lost > 0 || !this.headed || this.torn) this.prefix(pen)
      writeAll(shared.modules, fd, pen, () => {
        this.torn = true
      })
      this.torn = false
      this.end = size === undefined ? undefined : size + pen.length
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

  /** Puts before the pending lines what has to precede them: an end of line, a header, the number of lost events. */
  private prefix(pen: Pen): void {
    const lines = pen.bytes.slice(0, pen.length)
    pen.length = 0
    if (this.torn) pen.text("\n")
    if (!this.headed) pen.text(this.header)
    if (this.lost > 0) pen.text(lostLine(this.lost))
    pen.makeRoom(lines.length)
    pen.put(lines)
  }

  /**
   * Looks at what others have done to the file since the last write, and returns its size, unless it is no regular file.
   * Another process may have been killed in the middle of a line, to which the next one would be glued. A file that was
   * truncated, as `copytruncate` of logrotate does, or removed while it was closed, needs a header again.
   */
  private look(fd: number): number | undefined {
    const { modules } = this.shared
    const stat = modules.fs.fstatSync(fd)
    if (!stat.isFile()) return undefined
    if (stat.size === this.end) return stat.size
    if (stat.size < (this.end ?? 1)) {
      if (this.headed) this.generation++
      this.headed = false
    }
    this.torn = !endsLine(modules, this.path, fd)
    return stat.size
  }

  /** Opens the file, if it is not open, and returns its descriptor. Throws if it can't be opened. */
  opened(): number {
    const { open } = this.shared
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
    const fd = openToAppend(this.path)
    this.fd = fd
    open.add(this)
    return fd
  }

  /**
   * Closes a file after a failed write, so that the next write opens it again: the descriptor may never recover. Then the
   * end of the file is checked, too: a full disk may have left half a line of another process there.
   */
  private forget(cause: unknown): void {
    const { modules: { fs }, open } = this.shared
    const { fd } = this
    this.fd = undefined
    this.end = undefined
    open.delete(this)
    // the number of a descriptor that is closed already may belong to another file by now
    if (fd === undefined || codeOf(cause) === "EBADF") return
    try {
      fs.closeSync(fd)
    } catch {
      // the failed write has been reported
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
      // a network file system may report only on close that it is full
      this.shared.onFailure(this.path, "close", cause, 0)
    }
    this.fd = undefined
  }
}
