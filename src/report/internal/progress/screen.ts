/** Keeps lines at the bottom of a terminal while other output is printed above them. */
import { fit, type Fitted, type Line } from "../../../internal/text/columns.ts"
import { wrapLine } from "../../../internal/text/wrap.ts"

/** @internal */
export interface Terminal {
  /** Writes synchronously, since the process may end right after. */
  readonly write: (text: string) => void
  /** Called for each frame, since windows are resized. */
  readonly size: () => { readonly columns: number; readonly rows: number }
}

const csi = "\u001b["
const hideCursor = `${csi}?25l`
const showCursor = `${csi}?25h`
/** A line that is wider than it was measured is cut: continued on the next row, it would shift all lines. */
const noWrap = `${csi}?7l`
const wrap = `${csi}?7h`
/** Makes the terminal show an update as a whole. Terminals without this mode ignore it. */
const beginUpdate = `${csi}?2026h`
const endUpdate = `${csi}?2026l`
const toLineEnd = `${csi}K`
const toScreenEnd = `${csi}J`
const noStyle = `${csi}0m`

const up = (rows: number): string => rows > 0 ? `\r${csi}${rows}A` : "\r"

/**
 * Clears these rows above the cursor, and moves it to the first of them. The rest of the screen is cleared from the second
 * one on: tmux keeps what is cleared from the corner of the screen in its history, where each frame would stay.
 */
const clear = (rows: number): string =>
  rows === 0 ? "\r" : `${up(rows)}${toLineEnd}${rows === 1 ? "" : `${csi}1B${toScreenEnd}${csi}1A`}`

/**
 * How often output above redraws the lines at once, until the next {@link Screen.draw}. More would slow down a script
 * that prints much.
 */
const maxRestores = 5

/** Between two calls, the cursor is in the first column below the lines. */
export class Screen {
  readonly #terminal: Terminal
  readonly #colors: boolean
  /** The lines on the screen. */
  #lines: ReadonlyArray<Fitted> = []
  /** The lines that should be. */
  #wanted: ReadonlyArray<Line> = []
  #columns = 0
  #isCursorHidden = false
  #isAway = true
  #restores = 0

  constructor(terminal: Terminal, colors: boolean) {
    this.#terminal = terminal
    this.#colors = colors
  }

  /**
   * Whether nothing is drawn, from {@link leave} to the next {@link draw}: other output may go straight to the stream.
   */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Draws lines in place of the present ones. Writes only those that differ. */
  draw(lines: ReadonlyArray<Line>): void {
    this.#wanted = lines
    this.#restores = 0
    this.#isAway = false
    const text = this.#change()
    if (text !== "") this.#write(text)
  }

  /** Prints text of whole lines above the drawn lines, which may have changed too. */
  print(text: string, lines: ReadonlyArray<Line> = this.#wanted): void {
    this.#wanted = lines
    // reset the style, or a colour that the text leaves on would colour the lines below
    this.#restore(text === "" ? "" : this.#erase() + text + (text.includes("\u001b") ? noStyle : ""))
  }

  /** Clears the lines around a write whose text is not known, so that it appears above them. */
  around<A>(write: () => A): A {
    const erased = this.#erase()
    if (erased !== "") this.#write(erased)
    try {
      return write()
    } finally {
      this.#restore("")
    }
  }

  /** Prints lines that stay as they are, each in as many rows as it needs. All later output goes below them. */
  settle(lines: ReadonlyArray<Line>): void {
    const erased = this.#erase()
    this.#columns = this.#terminal.size().columns
    const text = lines.flatMap((line) => wrapLine(line, this.#columns - 1))
      .map((line) => `${this.#fit(line).text}\n`).join("")
    this.#write(`${erased}${noWrap}${text}${wrap}`)
  }

  /** Restores the cursor and leaves the lines as they are. Drawing may be resumed afterwards. */
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

  // The last column is left free: a character there would be erased by the code that clears the rest of the line.
  #fit(line: Line): Fitted {
    return fit(line, this.#columns - 1, this.#colors)
  }

  /** Returns how many rows the lines take now: most terminals wrap them when a window is made narrower. */
  #height(columns: number): number {
    return columns >= this.#columns
      ? this.#lines.length
      : this.#lines.reduce((rows, { width }) => rows + Math.max(1, Math.ceil(width / columns)), 0)
  }

  #erase(): string {
    const height = this.#height(this.#terminal.size().columns)
    this.#lines = []
    return height === 0 ? "" : clear(height)
  }

  #change(): string {
    const { columns } = this.#terminal.size()
    // clear first, or a terminal may join the new lines to wrapped ones when it is resized again
    const erased = columns === this.#columns ? "" : this.#erase()
    const before = this.#lines
    this.#columns = columns
    const lines = this.#wanted.map((line) => this.#fit(line))
    this.#lines = lines
    const isSame = (line: Fitted, i: number) => before[i]?.text === line.text
    if (erased === "" && lines.length === before.length && lines.every(isSame)) return ""
    if (lines.length === 0) return `${erased}${clear(before.length)}`
    const text = lines.map((line, i) => isSame(line, i) ? "\n" : `${line.text}${toLineEnd}\n`).join("")
    return `${erased}${up(before.length)}${noWrap}${text}${toScreenEnd}${wrap}`
  }
}
