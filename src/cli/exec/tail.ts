/** Keeps the end of what a command writes. */
import { StringDecoder } from "node:string_decoder"

/** How many bytes are kept, and how many lines of them are told. */
const maxBytes = 32 * 1024
const maxLines = 100

/** The longest line, in UTF-16 code units. */
const maxLine = 1_000

/** Bytes of one stream that follow each other. */
interface Part {
  readonly of: number
  size: number
}

/** The end of the output of several streams, in the order in which it came. Takes the same memory whatever is written. */
export class Tail {
  /** The last bytes, which are written over in turn: a copy of each piece would be garbage as large as the output. */
  readonly #ring = Buffer.alloc(maxBytes)
  #at = 0
  #parts: Array<Part> = []
  #size = 0
  #isCut = false

  /** Takes bytes of a stream, which the caller may write over afterwards. */
  readonly take = (of: number, bytes: Uint8Array): void => {
    const own = bytes.length > maxBytes ? bytes.subarray(bytes.length - maxBytes) : bytes
    if (own.length < bytes.length) this.#isCut = true
    const first = Math.min(own.length, maxBytes - this.#at)
    this.#ring.set(own.subarray(0, first), this.#at)
    if (first < own.length) this.#ring.set(own.subarray(first), 0)
    this.#at = (this.#at + own.length) % maxBytes
    const last = this.#parts.at(-1)
    if (last?.of === of) last.size += own.length
    else this.#parts.push({ of, size: own.length })
    this.#size += own.length
    if (this.#size > maxBytes) this.#drop(this.#size - maxBytes)
  }

  /** Forgets the first bytes. */
  #drop(count: number): void {
    this.#isCut = true
    this.#size -= count
    let whole = 0
    for (const part of this.#parts) {
      const of = Math.min(part.size, count)
      part.size -= of
      count -= of
      if (part.size > 0) break
      whole++
    }
    if (whole > 0) this.#parts.splice(0, whole)
  }

  /** Returns the last lines, as a terminal would show them, without those that are empty or no text. */
  lines(): ReadonlyArray<string> {
    const open = new Map<number, { readonly decoder: StringDecoder; text: string }>()
    const lines: Array<string> = []
    const bytes = Buffer.concat([this.#ring.subarray(this.#at), this.#ring.subarray(0, this.#at)])
    let at = maxBytes - this.#size
    for (const { of, size } of this.#parts) {
      let one = open.get(of)
      if (one === undefined) open.set(of, one = { decoder: new StringDecoder("utf8"), text: "" })
      const all = (one.text + one.decoder.write(bytes.subarray(at, at += size))).split("\n")
      one.text = all.pop() ?? ""
      lines.push(...all)
    }
    for (const { decoder, text } of open.values()) lines.push(text + decoder.end())
    // the first one lacks its beginning, unless it is all there is
    const whole = this.#isCut && lines.length > 1 ? lines.slice(1) : lines
    return withoutBinary(whole.map(lastOverwrite)).filter((line) => line.trim() !== "")
      .slice(-maxLines).map((line) => line.slice(-maxLine))
  }
}

/** Returns what is left to see of a line that carriage returns have written over, as a progress bar does. */
const lastOverwrite = (line: string): string => {
  const states = line.split("\r")
  return states.findLast((state) => state !== "") ?? ""
}

const withoutBinary = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.flatMap((line, i) =>
    !isBinary(line) ? [line] : i > 0 && isBinary(lines[i - 1] ?? "") ? [] : ["<binary output>"]
  )

/** Whether a line is no text: it has a NUL byte in it, or a fifth of it is not UTF-8. */
const isBinary = (line: string): boolean => {
  if (line.includes("\0")) return true
  const wrong = line.split("\ufffd").length - 1
  return wrong > 0 && wrong * 5 >= line.length
}
