/** The Schema of the words that the alerts of the standard hooks get in a config file. */
import * as Schema from "effect/Schema"
import { type FromFile, leaf } from "../../../alerters/internal/channel/schema/leaf.ts"
import { map, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { placeholders, unknownIn } from "../apply/templates.ts"
import type { AlertTemplate, AlertTemplates } from "./types.ts"

const words = `${placeholders.map((name) => `{${name}}`).join(", ")} or {field.NAME}`

const template = leaf<string>({
  expected: `a text that is not empty, in which braces hold one of ${words}`,
  json: Schema.String,
  parse: (input) =>
    typeof input === "string" && input.trim() !== "" && unknownIn(input).length === 0 ? input : undefined
})

const Template: FromFile<AlertTemplate> = map(
  "a map with the keys title and body",
  Schema.Struct({
    title: optional(template, "The title. {title} is the one that it replaces."),
    body: optional(template, "The body. {body} is the one that it replaces: the first line of the error.")
  }).annotate({ identifier: "AlertTemplate" })
)

/** The Schema of the words of alerts. */
export const AlertsMap: FromFile<AlertTemplates> = map(
  "a map of words by the kind of alert",
  Schema.Struct({
    success: optional(Template, "Alerts of alerterSuccess, and of alerter."),
    failure: optional(Template, "Alerts of alerterFailure, and of alerter."),
    interrupt: optional(Template, "Alerts of alerterInterrupt, and of alerter."),
    skip: optional(Template, "Alerts of alerterSkip."),
    overdue: optional(Template, "Alerts of alerterOverdue, and of alerter."),
    summary: optional(Template, "Alerts of alerterSummary.")
  }).annotate({ identifier: "Alerts" })
)
