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

/** The parts of an arbitrary alert, from which {@link alertOf} makes one. `times` is how often texts and fields are repeated. */
export const AnyAlert = Schema.Struct({
  title: AnyText,
  body: Schema.optionalKey(AnyText),
  detail: Schema.optionalKey(AnyText),
  fields: Schema.Array(Schema.Struct({ name: AnyText, value: AnyText })),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  times: Schema.Struct({ texts: Schema.Literals([1, 20, 3000]), fields: Schema.Literals([1, 10]) })
})

/** Makes an alert of its parts. */
export const alertOf = ({ body, detail, fields, severity, times, title }: typeof AnyAlert.Type): Alert => {
  const text = (parts: ReadonlyArray<string>) => textOf(parts).repeat(times.texts)
  return Alert.make({
    title: text(title),
    body: body === undefined ? undefined : text(body),
    detail: detail === undefined ? undefined : text(detail),
    fields: Array.from({ length: times.fields }, () => fields).flat().map(({ name, value }) => ({
      name: text(name),
      value: text(value)
    })),
    severity,
    at: DateTime.makeUnsafe("2026-11-23T12:40:12Z")
  })
}

/** Returns a stack trace of over 5 MB that contains `BEGINNING` in its first line and `END` in its last. */
export const hugeDetail = (): string => {
  const line = "    at 🔥 مرحبا `load` (file:///srv/etl/🔥/*steps*_load.ts:12:3)\n"
  return `Error: BEGINNING\n${line.repeat(Math.ceil(5_000_000 / line.length))}    at END`
}
