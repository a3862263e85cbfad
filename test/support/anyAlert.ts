/** Schemas of arbitrary alerts, whose texts include markup of every channel and characters that channels reject. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { Alert } from "../../src/index.ts"

const pieces = [
  "a",
  "word ",
  "\n",
  "\r\n",
  "\t",
  "  ",
  "\\",
  "\"",
  "*",
  "_",
  "~~",
  "`",
  "```",
  "||",
  "[x](http://x.test)",
  "<a href=\"http://x.test\">",
  "</pre>",
  "&lt;",
  "<@123>",
  "<!channel>",
  "<at>Ann</at>",
  "@everyone",
  "# ",
  "- ",
  "1. ",
  "{{DATE(2026-11-23T00:00:00Z)}}",
  "🔥",
  "👩‍👩‍👧‍👦",
  "مرحبا",
  "\u202e",
  "\ud83d",
  "\udd25",
  "\u0000",
  "\u001b[31m",
  "\u0085",
  "\u200b",
  "漢"
]

/** The parts of an arbitrary text, which {@link textOf} joins. */
export const AnyText = Schema.Array(Schema.Union([Schema.Literals(pieces), Schema.String]))

export const textOf = (parts: typeof AnyText.Type): string => parts.join("")

/** Addresses: two that browsers open, one that is too long, and what is none. */
const AnyUrl = Schema.Literals([
  "https://ci.example/runs/1?q=(a_b)*[c]|\"<d>&e=é%20#f",
  "http://localhost:3000",
  `https://x.example/${"a".repeat(3000)}`,
  "javascript:alert(1)",
  "https://",
  ""
])

/** The parts of an arbitrary alert, from which {@link alertOf} makes one. `times` is how often texts and fields are repeated. */
export const AnyAlert = Schema.Struct({
  title: AnyText,
  body: Schema.optionalKey(AnyText),
  detail: Schema.optionalKey(AnyText),
  fields: Schema.Array(Schema.Struct({ name: AnyText, value: AnyText })),
  url: Schema.optionalKey(AnyUrl),
  actions: Schema.Array(Schema.Struct({ label: AnyText, url: AnyUrl })),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  times: Schema.Struct({ texts: Schema.Literals([1, 20, 3000]), fields: Schema.Literals([1, 10]) })
})

/** More than channels show of a part. A hundred fields of such names and values are more than any channel takes. */
const longest = { text: 100_000, field: 10_000 }

/** Makes an alert of its parts. */
export const alertOf = (
  { actions, body, detail, fields, severity, times, title, url }: typeof AnyAlert.Type
): Alert => {
  const text = (parts: ReadonlyArray<string>, length = longest.text) =>
    textOf(parts).repeat(times.texts).slice(0, length)
  return Alert.make({
    title: text(title),
    body: body === undefined ? undefined : text(body),
    detail: detail === undefined ? undefined : text(detail),
    fields: Array.from({ length: times.fields }, () => fields).flat().map(({ name, value }) => ({
      name: text(name, longest.field),
      value: text(value, longest.field)
    })),
    url,
    actions: actions.map(({ label, url }) => ({ label: textOf(label), url })),
    severity,
    at: DateTime.makeUnsafe("2026-11-23T12:40:12Z")
  })
}

/** Returns a stack trace of over 5 MB that contains `BEGINNING` in its first line and `END` in its last. */
export const hugeDetail = (): string => {
  const line = "    at 🔥 مرحبا `load` (file:///srv/etl/🔥/*steps*_load.ts:12:3)\n"
  return `Error: BEGINNING\n${line.repeat(Math.ceil(5_000_000 / line.length))}    at END`
}
