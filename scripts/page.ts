/**
 * Writes `src/report/internal/timeline/page.gen.ts`, which holds the script and the style of the timeline's page as
 * strings.
 *
 *     bun scripts/page.ts
 */
import * as esbuild from "esbuild"
import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { looks, type Paint, type Palette, palettes } from "../src/report/internal/timeline/colors.ts"

const folder = join(import.meta.dirname, "..", "src", "report", "internal", "timeline")

export const generated = join(folder, "page.gen.ts")

/** The language level of browsers of the last two years. */
const target = "es2022"

const colors = (Object.keys(palettes.light) as ReadonlyArray<keyof Palette>).map((name) =>
  `--${name}:light-dark(${palettes.light[name]},${palettes.dark[name]});`
)

const rule = ([look, { dash, fill, stripes, stroke, width }]: readonly [string, Paint]): string => {
  const paint = stripes === undefined ? fill === undefined ? "none" : `var(--${fill})` : `url(#stripes-${stripes})`
  const line = stroke === undefined ? "" : `stroke:var(--${stroke});stroke-width:${width};stroke-linecap:round;`
  return `path.${look}{fill:${paint};${line}${dash === undefined ? "" : `stroke-dasharray:${dash};`}}` +
    (stripes === undefined ? "" : `.under.${stripes}{fill:var(--${fill})}`)
}

const hash = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`

/** Returns the text of the module. */
export const generate = async (): Promise<string> => {
  const css = await readFile(join(folder, "page", "style.css"), "utf8")
  const [bundle, { code }] = await Promise.all([
    esbuild.build({
      entryPoints: [join(folder, "page", "main.ts")],
      bundle: true,
      minify: true,
      format: "iife",
      target,
      charset: "ascii",
      write: false,
      logLevel: "warning"
    }),
    esbuild.transform(`:root{${colors.join("")}}${Object.entries(looks).map(rule).join("")}${css}`, {
      loader: "css",
      minify: true,
      logLevel: "warning"
    })
  ])
  const [script, style] = [bundle.outputFiles[0]!.text.trim(), code.trim()]
  // these would end the element that the text stands in, or begin a comment there
  for (const text of [script, style]) if (/<\/|<!--/.test(text)) throw new Error(`no text for an element: ${text}`)
  const constant = (name: string, value: string) => `export const ${name}: string = ${JSON.stringify(value)}\n`
  return "// made by scripts/page.ts from page/: not to be changed by hand\n" +
    constant("script", script) +
    constant("scriptHash", hash(script)) +
    constant("style", style) +
    constant("styleHash", hash(style))
}

if (import.meta.main) await writeFile(generated, await generate())
