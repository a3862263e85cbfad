/** Alerts of any text, among it all that a channel might take for markup, or not take at all. */
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

/** Texts to be put together. */
export const AnyText = Schema.Array(Schema.Union([Schema.Literals(pieces), Schema.String]))

export const textOf = (parts: typeof AnyText.Type): string => parts.join("")

/** A text is repeated as often as `times` says. */
export const AnyAlert = Schema.Struct({
  title: AnyText,
  body: Schema.optionalKey(AnyText),
  detail: Schema.optionalKey(AnyText),
  fields: Schema.Array(Schema.Struct({ name: AnyText, value: AnyText })),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  times: Schema.Struct({ texts: Schema.Literals([1, 20, 3000]), fields: Schema.Literals([1, 10]) })
})

/** The alert that it says. */
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

/** A stack trace of more than five megabytes, which begins and ends with words to look for. */
export const hugeDetail = (): string => {
  const line = "    at 🔥 مرحبا `load` (file:///srv/etl/🔥/*steps*_load.ts:12:3)\n"
  return `Error: BEGINNING\n${line.repeat(Math.ceil(5_000_000 / line.length))}    at END`
}
