/** Draws a picture of runs, for places where no script runs: issues, mails, chats. */
import { type Color, looks, type Palette, stripes } from "./colors.ts"
import { areApart, type Row, type Timeline } from "./data.ts"
import { legend } from "./legend.ts"
import { leftOut, pick } from "./pick.ts"
import { draw, type Drawn, icons, rowHeight, type Shape } from "./shapes.ts"
import { escape } from "./text.ts"
import { elapsed, ticks } from "./ticks.ts"
import { endings, took, totals } from "./words.ts"

/** @internal */
export interface Picture {
  readonly palette: Palette
  readonly width: number
  readonly maxRows: number
}

/** Without quotes, since resvg 2.6 does not find a family whose name is quoted. */
const fonts = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, Noto Sans, Liberation Sans, " +
  "DejaVu Sans, sans-serif"

const edge = 16
const headHeight = 62
const axisHeight = 26
const legendHeight = 22

/** @internal */
export const svg = ({ rows, title }: Timeline, { maxRows, palette, width }: Picture): string => {
  const paint = painter(palette)
  const picked = pick(rows, maxRows)
  const names = Math.round(Math.min(260, width * 0.32))
  const chart = { left: edge + names, width: width - 2 * edge - names }
  const placed = placement(rows)
  const [from, to] = placed.range
  const x = (time: number) => (time - from) * chart.width / Math.max(to - from, 1)
  const top = headHeight + axisHeight
  const bottom = top + picked.rows.length * rowHeight
  const marks = ticks(from, to, chart.width / 90)
  const axis = marks.at.map((time) => {
    const at = Math.round(chart.left + x(time)) + 0.5
    return paint.line(`M${at} ${top - 6}V${bottom}`, "grid") +
      (at + 40 > width - edge
        ? ""
        : paint.text(elapsed(time, marks.step), { x: at + 3, y: top - 10, size: 11, color: "quiet" }))
  })
  const lines = picked.rows.map(({ index, row }, place) => {
    const y = top + place * rowHeight
    const drawn = draw(row, (time) => x(time - placed.shift(index)), chart.width)
    const indent = edge + Math.min(row.depth * 14, names * 0.45)
    return paint.icon(row.ending, indent, y + 8) +
      paint.text(fit(row.name, names - indent - 12, 13), {
        x: indent + 21,
        y: y + 20,
        size: 13,
        ...(row.kind === "run" ? { weight: 600 } : {})
      }) +
      `<g transform="translate(${chart.left} ${y})">${drawn.shapes.map(paint.shape).join("")}` +
      `${label(took(row), drawn, x(row.start - placed.shift(index)), chart.width, paint)}</g>`
  })
  const rest = leftOut(picked)
  const explained = explain(rows, paint, width, bottom + (rest === undefined ? 8 : 30))
  const height = explained.bottom + edge - 6
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `role="img" aria-label="${escape(`${title}: ${totals(rows)}`)}" font-family="${fonts}">` +
    `<defs>${paint.patterns}</defs><rect width="${width}" height="${height}" fill="${palette.back}"/>` +
    paint.text(fit(title, width - 2 * edge, 18), { x: edge, y: 30, size: 18, weight: 600 }) +
    paint.text(fit(subtitle(rows), width - 2 * edge, 13), { x: edge, y: 52, size: 13, color: "quiet" }) +
    axis.join("") +
    lines.join("") +
    (rest === undefined ? "" : paint.text(rest, { x: edge, y: bottom + 20, size: 13, color: "quiet" })) +
    explained.content +
    "</svg>"
}

/** Puts the label to the right of the bar, or to its left if only that side has room, or leaves it out. */
const label = (text: string, { base, end }: Drawn, start: number, width: number, paint: Painter): string => {
  const style = { y: base, size: 11, color: "quiet" } as const
  const room = widthOf(text, 11)
  if (end + room < width) return paint.text(text, { x: end, ...style })
  return start - 6 < room ? "" : paint.text(text, { x: start - 6, anchor: "end", ...style })
}

const subtitle = (rows: ReadonlyArray<Row>): string => {
  const runs = rows.filter(({ kind }) => kind === "run")
  const [first] = runs
  if (first === undefined) return ""
  return [
    new Date(first.start).toISOString().replace("T", " ").replace(/\..*/, " UTC"),
    ...(runs.length === 1 ? [`${endings[first.ending]}, ${took(first)}`] : []),
    totals(rows)
  ].join(" · ")
}

/** Returns what to subtract from the times of a row: the start of its run, or of the first run if runs overlap. */
const placement = (rows: ReadonlyArray<Row>) => {
  const apart = areApart(rows)
  let start = rows[0]?.start ?? 0
  const starts = rows.map((row) => apart && row.kind === "run" ? (start = row.start) : start)
  let [from, to] = [0, 1]
  for (const [index, row] of rows.entries()) {
    from = Math.min(from, row.start - starts[index]!)
    to = Math.max(to, row.end - starts[index]!)
  }
  // room for the labels after the last bars
  return { shift: (index: number) => starts[index]!, range: [from, to + (to - from) * 0.08] as const }
}

/** Draws the legend of the shapes that occur. */
const explain = (rows: ReadonlyArray<Row>, paint: Painter, width: number, top: number) => {
  let [x, y] = [edge, top]
  const content = legend.filter(({ occurs }) => rows.some(occurs)).map((meaning) => {
    const { middle, shapes, text } = meaning
    const size = meaning.width + 6 + widthOf(text, 12) + 14
    if (x > edge && x + size > width - edge) [x, y] = [edge, y + legendHeight]
    const left = x
    x += size
    return `<g transform="translate(${left} ${y + 11 - middle})">${shapes.map(paint.shape).join("")}</g>` +
      paint.text(text, { x: left + meaning.width + 6, y: y + 15, size: 12, color: "quiet" })
  })
  return { content: content.join(""), bottom: content.length === 0 ? top : y + legendHeight }
}

interface TextStyle {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly color?: Color
  readonly weight?: number
  readonly anchor?: "end"
}

type Painter = ReturnType<typeof painter>

/** Writes colours as attributes, since not every renderer knows style sheets, and hardly one their variables. */
const painter = (palette: Palette) => {
  const id = (name: string) => `epilogue-${name}-${palette.back.slice(1)}`
  return {
    patterns: Object.entries(stripes).map(([name, d]) =>
      // a cast: stripes have the names of the colours that they are for
      `<pattern id="${id(name)}" width="6" height="6" patternUnits="userSpaceOnUse">` +
      `<rect width="6" height="6" fill="${palette[name as keyof typeof stripes]}"/>` +
      `<path d="${d}" fill="none" stroke="${palette.back}" stroke-width="1.5"/></pattern>`
    ).join(""),
    shape: ({ d, look }: Shape): string => {
      const { dash, fill, stripes, stroke, width } = looks[look]
      const inside = stripes !== undefined ? `url(#${id(stripes)})` : fill === undefined ? "none" : palette[fill]
      const line = stroke === undefined
        ? ""
        : ` stroke="${palette[stroke]}" stroke-width="${width}" stroke-linecap="round"${
          dash === undefined ? "" : ` stroke-dasharray="${dash}"`
        }`
      return `<path d="${d}" fill="${inside}"${line}/>`
    },
    icon: (ending: Row["ending"], x: number, y: number): string =>
      `<path transform="translate(${x} ${y})" d="${icons[ending]}" fill="none" stroke="${palette[ending]}" ` +
      `stroke-width="2.2" stroke-linecap="round"/>`,
    line: (d: string, color: Color): string => `<path d="${d}" fill="none" stroke="${palette[color]}"/>`,
    text: (text: string, { anchor, color = "text", size, weight, x, y }: TextStyle): string =>
      `<text x="${x}" y="${y}" font-size="${size}" fill="${palette[color]}"${
        weight === undefined ? "" : ` font-weight="${weight}"`
      }${anchor === undefined ? "" : ` text-anchor="${anchor}"`}>${escape(text)}</text>`
  }
}

/**
 * Estimates the width of a text, rather too wide, since the font is not known. East Asian letters and emoji are wide.
 */
const widthOf = (text: string, size: number): number => {
  let em = 0
  for (const character of text) em += /[\u1100-\u115f\u2e80-\uffdc\u{1f000}-\u{3ffff}]/u.test(character) ? 1.1 : 0.6
  return em * size
}

const segmenter = new Intl.Segmenter()

const fit = (text: string, width: number, size: number): string => {
  if (widthOf(text, size) <= width) return text
  let kept = ""
  for (const { segment } of segmenter.segment(text)) {
    if (widthOf(`${kept}${segment}…`, size) > width) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}
