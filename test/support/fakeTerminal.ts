/**
 * Fakes a terminal in memory. It interprets the few control sequences that progress uses and throws on others, so that
 * tests can compare the screen that a person would see.
 */
import { width } from "../../src/internal/text/columns.ts"

export interface FakeTerminal {
  readonly write: (text: string) => void
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** The lines on the screen and those scrolled off it, without empty lines at the end. */
  readonly text: () => string
  /** The lines on the screen. */
  readonly screen: () => ReadonlyArray<string>
  /** Changes the size, and wraps lines that are now too long, as most terminals do. */
  readonly resize: (columns: number, rows: number) => void
  readonly cursor: () => { readonly row: number; readonly column: number; readonly isVisible: boolean }
  /** The number of writes and of characters written. */
  readonly written: { times: number; characters: number }
  /** The parameters of all colour sequences written. */
  readonly styles: Set<string>
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

// oxlint-disable-next-line no-control-regex -- matches control sequences
const sequence = /^\u001b\[(\??)([\d;]*)([A-Za-z])/

export const fakeTerminal = (columns = 80, rows = 24): FakeTerminal => {
  const lines: Array<Array<string>> = [[]]
  let [size, row, column, isVisible, wraps] = [{ columns, rows }, 0, 0, true, true]
  const written = { times: 0, characters: 0 }
  const styles = new Set<string>()
  const top = () => Math.max(0, lines.length - size.rows)
  const feed = () => {
    row++
    column = 0
    if (row === lines.length) lines.push([])
  }
  const put = (character: string) => {
    const cells = width(character)
    if (column + cells > size.columns) {
      if (!wraps) return
      feed()
    }
    const line = lines[row]!
    while (line.length < column) line.push(" ")
    line.splice(column, cells, character, ...Array.from({ length: cells - 1 }, () => ""))
    column += cells
  }
  const control = (isPrivate: boolean, args: string, name: string) => {
    if (isPrivate) {
      if (args === "25") isVisible = name === "h"
      else if (args === "7") wraps = name === "h"
      else if (args !== "2026") throw new Error(`unknown mode ${args}`)
    } else if (name === "A") row = Math.max(top(), row - Number(args))
    else if (name === "B") row += Number(args)
    else if (name === "K" && args === "") lines[row]!.length = Math.min(lines[row]!.length, column)
    else if (name === "J" && args === "") {
      lines[row]!.length = Math.min(lines[row]!.length, column)
      lines.length = row + 1
    } else if (name === "m") styles.add(args)
    else throw new Error(`unknown sequence ${args}${name}`)
  }
  const shown = (line: ReadonlyArray<string>) => line.join("").trimEnd()
  return {
    write: (text) => {
      written.times++
      written.characters += text.length
      for (let rest = text; rest !== "";) {
        const found = sequence.exec(rest)
        if (found !== null) {
          control(found[1] === "?", found[2]!, found[3]!)
          rest = rest.slice(found[0].length)
          continue
        }
        const end = rest.indexOf("\u001b", 1)
        const plain = end < 0 ? rest : rest.slice(0, end)
        rest = rest.slice(plain.length)
        for (const { segment } of graphemes.segment(plain)) {
          if (segment === "\n" || segment === "\r\n") feed()
          else if (segment === "\r") column = 0
          else if (segment.charCodeAt(0) < 32) throw new Error(`unknown control character ${JSON.stringify(segment)}`)
          else put(segment)
        }
      }
    },
    size: () => size,
    text: () => lines.map(shown).join("\n").trimEnd(),
    screen: () => lines.slice(top()).map(shown),
    resize: (columns, rows) => {
      size = { columns, rows }
      const below = lines.slice(row)
      const above = lines.slice(0, row).flatMap((line) => {
        const parts: Array<Array<string>> = []
        for (let at = 0; at === 0 || at < line.length; at += columns) parts.push(line.slice(at, at + columns))
        return parts
      })
      lines.splice(0, lines.length, ...above, ...below)
      row = above.length
    },
    cursor: () => ({ row: row - top(), column, isVisible }),
    written,
    styles
  }
}
