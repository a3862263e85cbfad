/** Shows the fields of a form to people, and reads what they fill in as text. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Form } from "../model/approval.ts"
import type { FieldKind, FormField } from "../model/formField.ts"
import { redactedIn } from "../model/redactedIn.ts"
import { plural } from "../text/words.ts"
import { at, numberAt, textAt } from "./json.ts"

/** A mistake in what was filled in. Without a field it is about the whole. */
export interface FormMistake {
  readonly field: string | undefined
  readonly expected: string
}

/** The values that were filled in, by the names of the fields. */
export type Texts = Readonly<Record<string, string | undefined>>

/** The longest text of a field, in UTF-16 code units. */
export const maxFieldLength = 4_000

/** The longest values of a form as JSON, in UTF-16 code units. */
const maxLength = 16_000

const known = new WeakMap<Form, ReadonlyArray<FormField>>()

/** Returns the fields of a form, in the order of its Schema. */
export const fieldsOf = (form: Form): ReadonlyArray<FormField> => {
  const found = known.get(form)
  if (found !== undefined) return found
  const fields = describeFields(form)
  known.set(form, fields)
  return fields
}

const describeFields = ({ schema }: Form): ReadonlyArray<FormField> => {
  const document = Schema.toJsonSchemaDocument(Schema.toCodecJson(schema))
  const resolved = (json: unknown): unknown => {
    const reference = textAt(json, "$ref")
    return reference === undefined ? json : at(document.definitions, reference.split("/").at(-1) ?? "")
  }
  const required = at(document.schema, "required")
  const properties = at(document.schema, "properties")
  const secrets = redactedIn(schema.ast)
  return Object.entries(Object(properties)).map(([name, property]): FormField => {
    const isRequired = Array.isArray(required) && required.includes(name)
    const json = simplified(resolved(property), resolved, isRequired)
    const description = textAt(property, "description") ?? textAt(json, "description")
    const choices = choicesOf(json)
    const [minimum, maximum] = [boundAt(json, "minimum"), boundAt(json, "maximum")]
    return {
      name,
      label: textAt(property, "title") ?? textAt(json, "title") ?? name,
      ...(description === undefined ? {} : { description }),
      kind: choices !== undefined ? "choice" : kindOf(at(json, "type")),
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
      ...(choices === undefined ? {} : { choices }),
      required: isRequired,
      secret: secrets.some((path) => path === name || path.startsWith(`${name}.`))
    }
  })
}

/** The texts that stand for numbers without a notation in JSON. */
const notFinite = ["NaN", "Infinity", "-Infinity"]

/**
 * Returns the part of a union that people fill in: of a number, that without NaN and the like; of an optional field, that
 * without null; of texts to choose from, one with all of them.
 */
const simplified = (json: unknown, resolved: (json: unknown) => unknown, isRequired: boolean): unknown => {
  const union = at(json, "anyOf")
  if (!Array.isArray(union)) return json
  const parts = union.map(resolved).filter((part) => isRequired || at(part, "type") !== "null")
  const numbers = parts.filter((part) => !(choicesOf(part)?.every((choice) => notFinite.includes(choice)) ?? false))
  const [only] = numbers
  if (numbers.length === 1 && (numbers.length === parts.length || kindOf(at(only, "type")) === "number")) return only
  const choices = parts.map(choicesOf)
  return choices.every((choice) => choice !== undefined) ? { type: "string", enum: choices.flat() } : json
}

/** Returns a bound, unless it is that of all whole numbers. */
const boundAt = (json: unknown, key: "minimum" | "maximum"): number | undefined => {
  const bound = numberAt(json, key)
  return bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound
}

const choicesOf = (json: unknown): ReadonlyArray<string> | undefined => {
  const choices = at(json, "enum")
  return Array.isArray(choices) && choices.every((choice) => typeof choice === "string") ? choices : undefined
}

const kindOf = (type: unknown): FieldKind =>
  type === "string"
    ? "text"
    : type === "integer"
    ? "whole"
    : type === "number"
    ? "number"
    : type === "boolean"
    ? "flag"
    : "json"

/** Says what a field takes, for people. */
export const expectedOf = (field: FormField): string => {
  const { choices = [], kind } = field
  switch (kind) {
    case "text":
      return "a text"
    case "whole":
      return `a whole number${boundsOf(field)}`
    case "number":
      return `a number${boundsOf(field)}`
    case "flag":
      return "yes or no"
    case "choice":
      return `one of ${choices.join(", ")}`
    case "json":
      return "JSON"
  }
}

const boundsOf = ({ maximum, minimum }: FormField): string =>
  minimum !== undefined && maximum !== undefined
    ? ` from ${minimum} to ${maximum}`
    : minimum !== undefined
    ? ` of at least ${minimum}`
    : maximum !== undefined
    ? ` of at most ${maximum}`
    : ""

const isWithin = ({ maximum = Infinity, minimum = -Infinity }: FormField, value: number) =>
  value >= minimum && value <= maximum ? { value } : undefined

/** Reads the text of a field as JSON. `undefined` where it is none of the kind. */
const valueOf = (field: FormField, text: string): { readonly value: unknown } | undefined => {
  const { choices = [], kind } = field
  const trimmed = text.trim()
  switch (kind) {
    case "text":
      return { value: text }
    case "whole":
      return /^[+-]?\d+$/.test(trimmed) ? isWithin(field, Number(trimmed)) : undefined
    case "number":
      return trimmed !== "" && Number.isFinite(Number(trimmed)) ? isWithin(field, Number(trimmed)) : undefined
    case "flag":
      return /^(y|yes|true|on)$/i.test(trimmed)
        ? { value: true }
        : /^(n|no|false|off)$/i.test(trimmed)
        ? { value: false }
        : undefined
    case "choice":
      return choices.includes(trimmed) ? { value: trimmed } : undefined
    case "json":
      try {
        return { value: JSON.parse(text) }
      } catch {
        return undefined
      }
  }
}

/** The result of reading a form: values as JSON, or all mistakes. */
export type Reading =
  | { readonly values: Readonly<Record<string, unknown>>; readonly mistakes?: undefined }
  | { readonly mistakes: ReadonlyArray<FormMistake>; readonly values?: undefined }

/** Reads the texts of fields as far as their kinds tell, without the Schema. An empty text is no value. */
export const readTexts = (fields: ReadonlyArray<FormField>, texts: Texts): Reading => {
  const values: Record<string, unknown> = Object.create(null)
  const mistakes: Array<FormMistake> = []
  for (const field of fields) {
    const text = texts[field.name] ?? ""
    if (text.trim() === "") {
      if (field.required) mistakes.push({ field: field.name, expected: expectedOf(field) })
    } else if (text.length > maxFieldLength) {
      mistakes.push({ field: field.name, expected: `at most ${plural(maxFieldLength, "character")}` })
    } else {
      const read = valueOf(field, text)
      if (read === undefined) mistakes.push({ field: field.name, expected: expectedOf(field) })
      else values[field.name] = read.value
    }
  }
  for (const name of Object.keys(texts)) {
    if (!fields.some((field) => field.name === name)) {
      const names = fields.map(({ name }) => name).join(", ")
      const expected = names === "" ? "no values, as the question asks for none" : `one of the fields ${names}`
      mistakes.push({ field: name, expected })
    }
  }
  if (mistakes.length === 0 && JSON.stringify(values).length > maxLength) {
    mistakes.push({ field: undefined, expected: `at most ${plural(maxLength, "character")} in all` })
  }
  return mistakes.length > 0 ? { mistakes } : { values: { ...values } }
}

/** Returns the mistakes that the Schema finds in values, without showing them. */
export const mistakesIn = (form: Form, values: unknown): Effect.Effect<ReadonlyArray<FormMistake>> =>
  Effect.match(form.decode(values), {
    onFailure: ({ issues }) =>
      issues.map(({ message, path: [field] }): FormMistake => ({
        field: field === undefined ? undefined : String(field),
        expected: message.replace(/^Expected /, "").replace(/, got .*$/s, "")
      })),
    onSuccess: () => []
  })

/** Reads texts, and checks them by the Schema. */
export const filledIn = (form: Form, texts: Texts): Effect.Effect<Reading> => {
  const read = readTexts(fieldsOf(form), texts)
  return read.values === undefined ? Effect.succeed(read) : Effect.map(
    mistakesIn(form, read.values),
    (mistakes) => mistakes.length > 0 ? { mistakes } : read
  )
}

/** Tells a mistake in a line. */
export const mistakeText = ({ expected, field }: FormMistake): string =>
  field === undefined ? `expected ${expected}` : `${field}: expected ${expected}`
