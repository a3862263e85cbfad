/** Wraps lines of a tree that stay on a terminal, so that nothing of them is cut off. */
import { type Line, type Segment, take, width } from "./columns.ts"

/** The branches before a line of a tree. */
const branches = /^(?:│ {2}| {3}|… \d+ )*(?:├─ |└─ )?/

/** Below the text of the line, beside what hangs on it. */
const trunkOf = (branch: string): string => `${branch.replace("├─ ", "│  ").replace("└─ ", "   ")}  `

/** Where text is broken at a space, how much of a row may stay empty for that, as a part of it. */
const loosest = 0.5

const rest = (line: Line, from: number): Line => {
  let left = from
  return line.flatMap(([text, style]): ReadonlyArray<Segment> => {
    const skipped = Math.min(left, text.length)
    left -= skipped
    return skipped === text.length ? [] : [[text.slice(skipped), style]]
  })
}

const firstOf = (line: Line, length: number): Line => {
  let left = length
  return line.flatMap(([text, style]): ReadonlyArray<Segment> => {
    const kept = text.slice(0, left)
    left -= kept.length
    return kept === "" ? [] : [[kept, style]]
  })
}

const textOf = (line: Line): string => line.map(([text]) => text).join("")

/**
 * Breaks a printable line into rows of at most `columns`, at spaces where there are some. Rows after the first one are
 * indented below it, with the branches of the tree that go on beside them.
 */
export const wrapLine = (line: Line, columns: number): ReadonlyArray<Line> => {
  const whole = textOf(line)
  if (width(whole) <= columns) return [line]
  const trunk = trunkOf(branches.exec(whole)![0])
  // too narrow for the branches and any text beside them
  const before: Line = width(trunk) * 2 > columns ? [] : [[trunk, "dim"]]
  const rows: Array<Line> = []
  for (let left = line, first = true;; first = false) {
    const text = textOf(left)
    const room = first ? columns : columns - width(textOf(before))
    if (width(text) <= room) return [...rows, first ? left : [...before, ...left]]
    const taken = take(text, room)
    const space = taken.lastIndexOf(" ")
    const end = Math.max(1, text[taken.length] !== " " && space > taken.length * (1 - loosest) ? space : taken.length)
    rows.push([...(first ? [] : before), ...firstOf(left, end)])
    left = rest(left, end + (text.slice(end).startsWith(" ") ? 1 : 0))
  }
}
