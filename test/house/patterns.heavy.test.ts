/**
 * Every regular expression in `src` takes linear time. All of them are checked, not only those that read what others
 * wrote: which text reaches a pattern changes more often than the pattern.
 */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import process from "node:process"
import ts from "typescript-6"
import { durationText } from "../../src/internal/text/parseDuration.ts"

interface Diagnostics {
  readonly status: "safe" | "vulnerable" | "unknown"
  readonly complexity?: { readonly summary: string }
  readonly error?: { readonly kind: string }
}

// recheck's build for browsers is plain JavaScript; its entry for Node starts a JVM or a native program
const recheck: {
  readonly checkSync: (source: string, flags: string, options: Readonly<Record<string, number>>) => Diagnostics
} = createRequire(import.meta.url)("recheck/lib/browser.js")

interface Pattern {
  readonly place: string
  readonly source: string
  readonly flags: string
}

/**
 * Patterns that are put together when the program runs, by the text of the call, with all sources that come of it. A
 * call that is not listed fails the test: write a literal in its place, or list it here.
 */
const composed: Readonly<Record<string, ReadonlyArray<readonly [source: string, flags: string]>>> = {
  // `yes` is one of two words
  "new RegExp(`^\\\\P{L}*${yes}(?!\\\\p{L})`, \"iu\")": [
    ["^\\P{L}*approve(?!\\p{L})", "iu"],
    ["^\\P{L}*yes(?!\\p{L})", "iu"]
  ],
  // `units` are the words and symbols of durations
  "new RegExp(\n  `^\\\\s*(?:(?:\\\\d{1,15}(?:\\\\.\\\\d{1,15})?\\\\s*(?:${units})\\\\s*){1,8}|` +\n    \"P(?=[\\\\dT])(?:\\\\d{1,15}W)?(?:\\\\d{1,15}D)?(?:T(?=\\\\d)(?:\\\\d{1,15}H)?(?:\\\\d{1,15}M)?(?:\\\\d{1,15}(?:\\\\.\\\\d{1,15})?S)?)?\\\\s*)$\",\n  \"u\"\n)":
    [[durationText.source, "u"]],
  // `words` are those of an option in a config file; the pattern stands in the file's JSON Schema
  "new RegExp(`^\\\\s*(?:${words.join(\"|\")})\\\\s*$`, \"u\")": [["^\\s*(?:critical|error|warning)\\s*$", "u"]]
}

const src = join(import.meta.dirname, "../../src")

const patternsIn = (file: string): ReadonlyArray<Pattern> => {
  const text = readFileSync(join(src, file), "utf8")
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  const found: Array<Pattern> = []
  const visit = (node: ts.Node): void => {
    const place = `${file}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/")
      found.push({ place, source: node.text.slice(1, end), flags: node.text.slice(end + 1) })
    } else if (
      (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText(source) === "RegExp"
    ) {
      const call = node.getText(source)
      const sources = composed[call]
      if (sources === undefined) throw new Error(`${place}: ${call} is not among the patterns that this test knows`)
      for (const [source, flags] of sources) found.push({ place, source, flags })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Without an unbounded repetition no pattern takes more than linear time. In a class, `*` and `+` mean themselves. */
const repeats = ({ source }: Pattern): boolean =>
  /[*+]|\{\d+,\}/.test(source.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/gs, "x"))

/** The check expands counted repetitions, of which three show what ninety-nine would. */
const shortened = (source: string): string =>
  source.replaceAll(/\{(\d+),(\d+)\}/g, (whole, least, most) => most > 3 ? `{${Math.min(least, 2)},3}` : whole)

/** Milliseconds. The defaults of the last two are below a second, and a machine that is busy makes any pattern exceed them. */
const limits = { timeout: 60_000, attackTimeout: 10_000, incubationTimeout: 10_000 }

/** Returns what is wrong with a pattern, or `undefined`. */
const problemOf = (pattern: Pattern): string | undefined => {
  const { complexity, error, status } = recheck.checkSync(shortened(pattern.source), pattern.flags, limits)
  return status === "safe"
    ? undefined
    : `${pattern.place}: /${pattern.source}/${pattern.flags}: ${complexity?.summary ?? error?.kind ?? status}`
}

/** Patterns that have been found to be safe: to check all of them takes 20 seconds. `UPDATE=1` checks and writes them. */
const safeFile = join(import.meta.dirname, "safePatterns.json")
const isUpdate = process.env["UPDATE"] === "1"
const safe = new Set<string>(isUpdate ? [] : JSON.parse(readFileSync(safeFile, "utf8")))

test("every regular expression in src takes linear time", () => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" })
    // generated from `timeline/page`, whose files are checked
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".gen.ts"))
  const patterns = files.flatMap(patternsIn)
  const checked = new Map(patterns.filter(repeats).map((pattern) => [`/${pattern.source}/${pattern.flags}`, pattern]))
  // fewer would mean that the patterns are not found any more
  expect(patterns.length).toBeGreaterThan(100)
  expect(checked.size).toBeGreaterThan(40)
  const unknown = [...checked].filter(([pattern]) => !safe.has(pattern))
  expect(unknown.map(([, pattern]) => problemOf(pattern)).filter((problem) => problem !== undefined)).toEqual([])
  if (isUpdate) writeFileSync(safeFile, `${JSON.stringify([...checked.keys()].toSorted(), null, 2)}\n`)
}, 300_000)

test.each([
  ["a row of dashes as comments", /^(?:\s|;|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))*$/],
  ["slashes that are not at the end", /\/+$/],
  ["beginnings without an end", /\$\{[A-Z]+(?::-[^}]*)?\}/g],
  ["line separators as white space", /^[^\S\n]*[-+]/gm],
  ["a look behind over all digits", /(?<=^\d+)[.)]/gm]
])("the check finds a pattern that takes longer: %s", (_, { flags, source }) => {
  const pattern = { place: "here", source, flags }
  expect(repeats(pattern)).toBe(true)
  expect(problemOf(pattern)).toMatch(/polynomial|exponential/)
}, 60_000)
