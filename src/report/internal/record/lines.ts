/** Splits the bytes of a record into lines. */
import { newline } from "./files.ts"

/** In bytes, more than any recorder writes in a line. A longer line is dropped, so that memory stays bounded. */
const maxLine = 64 * 1024 * 1024

const decoder = new TextDecoder()

/** Splits chunks of bytes into lines. */
export class Lines {
  private rest: Array<Uint8Array> = []
  private size = 0
  private tooLong = false

  /** Returns what follows the last end of a line, or `undefined` if that is too long. */
  take(): string | undefined {
    const { rest, tooLong } = this
    this.rest = []
    this.size = 0
    this.tooLong = false
    if (tooLong) return undefined
    const [only, ...more] = rest
    if (only === undefined) return ""
    return more.length === 0 ? decoder.decode(only) : decoder.decode(Buffer.concat(rest))
  }

  /** Returns the lines that a chunk ends, with `undefined` in place of a line that is too long. */
  *of(chunk: Uint8Array): Generator<string | undefined> {
    const end = chunk.lastIndexOf(newline)
    if (end < 0) return this.keep(chunk)
    const first = chunk.indexOf(newline)
    this.keep(chunk.subarray(0, first))
    yield this.take()
    if (end > first) yield* decoder.decode(chunk.subarray(first + 1, end)).split("\n")
    this.keep(chunk.subarray(end + 1))
  }

  private keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.size += bytes.length
    if (this.size > maxLine) {
      this.tooLong = true
      this.rest = []
    }
    // a copy, since the next read reuses the buffer
    if (!this.tooLong) this.rest.push(bytes.slice())
  }
}
