/**
 * Puts lines together as bytes. Copying the parts that all lines share takes a third of the time of joining and
 * encoding strings (`bench/watched.ts`).
 */

import { HeldBack, type OpenLine } from "./burst.ts"
import { encoder } from "./bytes.ts"

/**
 * The size of the buffer at first, in bytes. After a line with a large cause, a buffer of more than four times that is
 * dropped.
 */
const kept = 320 * 1024

/** A buffer that grows. Callers make room before they put bytes, so that it is checked once for a line. */
export class Pen {
  bytes: Uint8Array = new Uint8Array(kept)
  length = 0
  /** The last line of a step that has begun. Other lines may follow it. */
  open: OpenLine | undefined
  readonly heldBack = new HeldBack()

  /** The line of a step, if it is the last one in the buffer. */
  get openLine(): OpenLine | undefined {
    return this.open?.end === this.length ? this.open : undefined
  }

  clear(): void {
    this.length = 0
    this.open = undefined
    this.heldBack.clear()
    if (this.bytes.length > 4 * kept) this.bytes = new Uint8Array(kept)
  }

  /** Makes room for `size` more bytes. */
  makeRoom(size: number): void {
    if (this.length + size <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + size))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Appends text. Makes its own room, unlike the others. */
  text(text: string): void {
    this.makeRoom(text.length * 3)
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written
  }

  endLine(): void {
    this.makeRoom(2)
    this.bytes[this.length++] = brace
    this.bytes[this.length++] = newline
  }

  comma(): void {
    this.bytes[this.length++] = comma
  }

  /** Appends an integer, in at most 16 bytes. Rounds another number. */
  integer(number: number): void {
    const n = Math.round(number)
    if (!(n >= 0 && n < 2 ** 31)) return this.text(JSON.stringify(n))
    let digits = 1
    for (let rest = n; rest >= 10; rest = (rest / 10) | 0) digits++
    this.digits(n, digits)
  }

  private digits(n: number, count: number): void {
    const { bytes, length } = this
    let rest = n
    for (let i = length + count - 1; i >= length; i--) {
      const next = (rest / 10) | 0
      bytes[i] = zero + rest - next * 10
      rest = next
    }
    this.length = length + count
  }

  /** Appends nanoseconds as a JSON number of milliseconds, in at most 24 bytes. */
  millis(nanos: number): void {
    const n = Math.round(nanos)
    if (!(n >= 0 && n < 2 ** 31 * 1e6)) return this.text(JSON.stringify(n / 1e6))
    const whole = n < 1e6 ? 0 : Math.floor(n / 1e6)
    this.integer(whole)
    const rest = n - whole * 1e6
    if (rest === 0) return
    this.bytes[this.length++] = point
    this.digits(rest, 6)
    while (this.bytes[this.length - 1] === zero) this.length--
  }
}

const newline = 10
const comma = 44
const brace = 125
const zero = 48
const point = 46
