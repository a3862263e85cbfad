/** Lines that stay at the bottom of a terminal, while other output goes above them. */
import { fit, type Fitted, type Line } from "../../../internal/text/columns.ts"

/** @internal */
export interface Terminal {
  /** At once, as the process may end right after. */
  readonly write: (text: string) => void
  /** Asked each time, as windows are resized. */
  readonly size: () => { readonly columns: number; readonly rows: number }
}

const csi = "\u001b["
const hideCursor = `${csi}?25l`
const showCursor = `${csi}?25h`
/** Where the end of a line is misjudged, it is cut and not continued on the next one, which would shift all. */
const noWrap = `${csi}?7l`
const wrap = `${csi}?7h`
/** The terminal shows nothing of an update until all is there; who doesn't know that ignores it. */
const beginUpdate = `${csi}?2026h`
const endUpdate = `${csi}?2026l`
const toLineEnd = `${csi}K`
const toScreenEnd = `${csi}J`
const noStyle = `${csi}0m`

const up = (rows: number): string => rows > 0 ? `\r${csi}${rows}A` : "\r"

/** So often is the frame drawn again at once when something is written above it, until the next {@link Screen.draw}. */
const maxRestores = 5

/** The cursor is in the first column below the lines, when none of the methods runs. */
export class Screen {
  readonly #terminal: Terminal
  readonly #colors: boolean
  /** What stands there. */
  #lines: ReadonlyArray<Fitted> = []
  /** What should. */
  #wanted: ReadonlyArray<Line> = []
  #columns = 0
  #isCursorHidden = false
  #isAway = true
  #restores = 0

  constructor(terminal: Terminal, colors: boolean) {
    this.#terminal = terminal
    this.#colors = colors
  }

  /** From {@link leave} until lines are drawn: whoever writes needs nothing of this. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** In place of the lines that stand there: only those that differ are written. */
  draw(lines: ReadonlyArray<Line>): void {
    this.#wanted = lines
    this.#restores = 0
    this.#isAway = false
    const text = this.#change()
    if (text !== "") this.#write(text)
  }

  /** Text of whole lines above the lines, which may have changed too. */
  print(text: string, lines: ReadonlyArray<Line> = this.#wanted): void {
    this.#wanted = lines
    // a colour that goes on is for what was written, not for the lines below
    this.#restore(text === "" ? "" : this.#erase() + text + (text.includes("\u001b") ? noStyle : ""))
  }

  /** Lets something write that can't be told what: above what stands there. */
  around<A>(write: () => A): A {
    const erased = this.#erase()
    if (erased !== "") this.#write(erased)
    try {
      return write()
    } finally {
      this.#restore("")
    }
  }

  /** Lines that stay as they are: output from now on goes below them. */
  settle(lines: ReadonlyArray<Line>): void {
    const erased = this.#erase()
    this.#columns = this.#terminal.size().columns
    const text = lines.map((line) => `${this.#fit(line).text}\n`).join("")
    this.#write(`${erased}${noWrap}${text}${wrap}`)
  }

  /** As if it had never been here, but for what stands there. It can go on afterwards. */
  leave(): void {
    this.#isAway = true
    this.#lines = []
    if (!this.#isCursorHidden) return
    this.#isCursorHidden = false
    this.#terminal.write(showCursor)
  }

  #restore(above: string): void {
    const text = this.#restores++ < maxRestores ? above + this.#change() : above
    if (text !== "") this.#write(text)
  }

  #write(text: string): void {
    const cursor = this.#isCursorHidden ? "" : hideCursor
    this.#isCursorHidden = true
    this.#terminal.write(`${beginUpdate}${cursor}${text}${endUpdate}`)
  }

  // A column is left free: with a character in the last one, what erases to the end of the line would erase it too.
  #fit(line: Line): Fitted {
    return fit(line, this.#columns - 1, this.#colors)
  }

  /** How many rows the lines take now: where a window was made narrower, most terminals have wrapped them. */
  #height(columns: number): number {
    return columns >= this.#columns
      ? this.#lines.length
      : this.#lines.reduce((rows, { width }) => rows + Math.max(1, Math.ceil(width / columns)), 0)
  }

  #erase(): string {
    const height = this.#height(this.#terminal.size().columns)
    this.#lines = []
    return height === 0 ? "" : `${up(height)}${toScreenEnd}`
  }

  #change(): string {
    const { columns } = this.#terminal.size()
    // or a terminal would take the new lines for parts of those that it has wrapped
    const erased = columns === this.#columns ? "" : this.#erase()
    const before = this.#lines
    this.#columns = columns
    const lines = this.#wanted.map((line) => this.#fit(line))
    this.#lines = lines
    const isSame = (line: Fitted, i: number) => before[i]?.text === line.text
    if (erased === "" && lines.length === before.length && lines.every(isSame)) return ""
    const text = lines.map((line, i) => isSame(line, i) ? "\n" : `${line.text}${toLineEnd}\n`).join("")
    return `${erased}${up(before.length)}${noWrap}${text}${toScreenEnd}${wrap}`
  }
}
