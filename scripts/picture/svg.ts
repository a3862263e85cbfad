/** Draws the screens of a terminal, and an alert beneath, as an SVG that changes with time. */

/** A text with its classes, as in `red bold`. */
export interface Piece {
  readonly text: string
  readonly style: string
}

export type Line = ReadonlyArray<Piece>

/** The lines of a terminal, and the milliseconds since the beginning at which it shows them. */
export interface Frame {
  readonly at: number
  readonly lines: ReadonlyArray<Line>
}

export interface Picture {
  readonly title: string
  readonly description: string
  readonly frames: ReadonlyArray<Frame>
  readonly alert: {
    readonly channel: string
    readonly lines: ReadonlyArray<Line>
    /** The colour of the bar beside it. */
    readonly color: string
    /** When it arrives, in milliseconds since the beginning. */
    readonly at: number
  }
  /** How long the last screen stays, in milliseconds. */
  readonly rest: number
}

const colors = ["", "red", "green", "yellow", "blue", "blue", "blue", ""]

/** Reads a line with the escape sequences by which a terminal colours it. Sequences of other kinds are left out. */
export const lineOf = (text: string): Line => {
  const pieces: Array<Piece> = []
  const style = { color: "", bold: false, dim: false }
  // oxlint-disable-next-line no-control-regex -- the sequences begin with it
  for (const [, codes, plain] of text.matchAll(/(?:\u001b\[([\d;]*)m)|([^\u001b]+)/g)) {
    if (plain !== undefined) {
      const classes = [style.color, style.bold ? "bold" : "", style.dim ? "dim" : ""].filter(Boolean).join(" ")
      pieces.push({ text: plain, style: classes })
      continue
    }
    for (const code of (codes || "0").split(";").map(Number)) {
      if (code === 0) Object.assign(style, { color: "", bold: false, dim: false })
      else if (code === 1) style.bold = true
      else if (code === 2) style.dim = true
      else if (code === 22) Object.assign(style, { bold: false, dim: false })
      else if (code === 39) style.color = ""
      else if (code === 90) style.color = "dim"
      else if (code >= 30 && code <= 37) style.color = colors[code - 30]!
      else if (code >= 91 && code <= 97) style.color = colors[code - 90]!
    }
  }
  return pieces
}

const isBlank = (line: Line): boolean => line.every(({ text }) => text.trim() === "")

/** Something that is drawn from one moment on, until another or the end. */
interface Shown {
  readonly svg: string
  readonly from: number
  readonly to: number | undefined
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const char = 7.83
const height = 20
const width = 720

/** Draws a line. Each piece has its column, so that columns stay aligned whatever the font. */
const drawn = (line: Line, x: number, y: number, isGrid: boolean): string => {
  let column = 0
  const spans = line.map(({ style, text }) => {
    const at = isGrid ? ` x="${+(x + column * char).toFixed(1)}"` : ""
    column += text.length
    const classes = style === "" ? "" : ` class="${style}"`
    return text.trim() === "" ? isGrid ? "" : escape(text) : `<tspan${at}${classes}>${escape(text)}</tspan>`
  })
  return `<text x="${x}" y="${y}">${spans.join("")}</text>`
}

/** Returns each line once for the time in which it stays the same. */
const linesOf = (frames: ReadonlyArray<Frame>, rows: number): ReadonlyArray<Shown> =>
  Array.from({ length: rows }).flatMap((_, row) => {
    const shown: Array<{ svg: string; from: number; to: number | undefined }> = []
    for (const { at, lines } of frames) {
      const line = lines[row] ?? []
      const svg = isBlank(line) ? "" : drawn(line, 20, 52 + row * height, true)
      const last = shown.at(-1)
      if (last?.svg === svg) continue
      if (last !== undefined) last.to = at
      shown.push({ svg, from: at, to: undefined })
    }
    return shown.filter(({ svg }) => svg !== "")
  })

/** Draws a picture. Where nothing moves, as for people who prefer that, it shows the last screen and the alert. */
export const svgOf = ({ alert, description, frames, rest, title }: Picture): string => {
  const rows = Math.max(...frames.map(({ lines }) => lines.findLastIndex((line) => !isBlank(line)) + 1))
  const below = 72 + rows * height
  const cardHeight = alert.lines.length * height + 20
  const total = below + cardHeight + 1
  const end = Math.max(frames.at(-1)!.at, alert.at) + rest
  const percent = (at: number) => `${+((at / end) * 100).toFixed(2)}%`
  const card = [
    `<rect class="window" x="1" y="${below}" width="${width - 2}" height="${cardHeight}" rx="8"/>`,
    `<rect x="1" y="${below}" width="5" height="${cardHeight}" rx="2" fill="${alert.color}"/>`,
    ...alert.lines.map((line, row) => drawn(line, 20, below + 24 + row * height, false)),
    `<text class="dim" x="${width - 20}" y="${below + 24}" text-anchor="end">${escape(alert.channel)}</text>`
  ].join("\n")
  const shown = [...linesOf(frames, rows), { svg: `<g class="sans">${card}</g>`, from: alert.at, to: undefined }]
  const steps = shown.map(({ from, to }, index) => {
    const hidden = from === 0 ? "" : "0%{opacity:0}"
    const gone = to === undefined ? "" : `${percent(to)}{opacity:0}`
    return `@keyframes k${index}{${hidden}${percent(from)}{opacity:1}${gone}}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" role="img" aria-labelledby="title description">
<title id="title">${escape(title)}</title>
<desc id="description">${escape(description)}</desc>
<style>
svg{--back:#fff;--fore:#1f2328;--dim:#656d76;--line:#d0d7de;--red:#cf222e;--green:#1a7f37;--yellow:#9a6700;--blue:#0550ae}
@media (prefers-color-scheme:dark){svg{--back:#0d1117;--fore:#e6edf3;--dim:#8b949e;--line:#30363d;--red:#ff7b72;--green:#3fb950;--yellow:#d29922;--blue:#79c0ff}}
text{fill:var(--fore);font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.sans text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:14px}
.window{fill:var(--back);stroke:var(--line)}.bold{font-weight:600}.dim{fill:var(--dim)}
.red{fill:var(--red)}.green{fill:var(--green)}.yellow{fill:var(--yellow)}.blue{fill:var(--blue)}
.step{opacity:0;animation:${(end / 1000).toFixed(1)}s step-end infinite}.last{opacity:1}
@media (prefers-reduced-motion:reduce){.step{animation:none!important}}
${steps.join("\n")}
</style>
<rect class="window" x="1" y="1" width="${width - 2}" height="${below - 16}" rx="8"/>
<circle cx="22" cy="18" r="5" fill="#ff5f57"/><circle cx="40" cy="18" r="5" fill="#febc2e"/><circle cx="58" cy="18" r="5" fill="#28c840"/>
${
    shown.map(({ svg, to }, index) =>
      `<g class="step${to === undefined ? " last" : ""}" style="animation-name:k${index}">${svg}</g>`
    ).join("\n")
  }
</svg>
`
}
