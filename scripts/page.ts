/**
 * Writes `page.gen.ts` in `src/report/internal/timeline` and `src/report/internal/ui`, which hold the script and the style
 * of the timeline's page and of the list of runs as strings.
 *
 *     bun scripts/page.ts
 */
import * as esbuild from "esbuild"
import { createHash } from "node:crypto"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { looks, type Paint, type Palette, palettes } from "../src/report/internal/timeline/colors.ts"

const root = join(import.meta.dirname, "..")
const internal = join(root, "src", "report", "internal")

/** The folders that have a page. */
export const pages: ReadonlyArray<string> = [join(internal, "timeline"), join(internal, "ui")]

export const generatedIn = (folder: string): string => join(folder, "page.gen.ts")

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

const build = (folder: string) =>
  esbuild.build({
    entryPoints: [join(folder, "page", "main.ts")],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    metafile: true,
    format: "iife",
    target,
    charset: "ascii",
    write: false,
    logLevel: "warning"
  })

/** Returns the paths of the files whose code is in the scripts of the pages. */
export const inputs = async (): Promise<ReadonlyArray<string>> =>
  (await Promise.all(pages.map(build))).flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).map((path) => join(root, path))
  )

/** Returns the style sheets of a page as one, the general one first. */
const styles = async (folder: string): Promise<string> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".css")).toSorted()
  const ordered = ["style.css", ...names.filter((name) => name !== "style.css")]
  return (await Promise.all(ordered.map((name) => readFile(join(folder, name), "utf8")))).join("\n")
}

/** Returns the text of the module of a page. */
export const generate = async (folder: string): Promise<string> => {
  const css = await styles(join(folder, "page"))
  const [bundle, { code }] = await Promise.all([
    build(folder),
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

if (import.meta.main) { for (const folder of pages) await writeFile(generatedIn(folder), await generate(folder)) }
