/** Parses `--param Service.field=value`. */

/** Numbers as config files may have them, and JSON may not: `+5`, `.5`, `5.`. */
const looseNumber = /^[+-]?(?:(?:0|[1-9]\d{0,14})\.?|(?:0|[1-9]\d{0,14})?\.\d{1,20})(?:[eE][+-]?\d{1,3})?$/

/** Decodes JSON, or a number. Returns the text itself where it is neither, or an integer too large for a number. */
const valueOf = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value
  } catch {
    return looseNumber.test(text) ? Number(text) : text
  }
}

/**
 * Collects parameters by service and field. Of two for one field the later counts. Returns the name of the first
 * parameter that can't be parsed, without its value, which may be a secret.
 */
export const collectParams = (
  params: ReadonlyArray<string>,
  read: (text: string) => unknown = valueOf
): string | Readonly<Record<string, Readonly<Record<string, unknown>>>> => {
  const collected: Record<string, Record<string, unknown>> = Object.create(null)
  for (const param of params) {
    const equals = param.indexOf("=")
    // keys of services may have dots in them, and values may hold anything
    const dot = param.lastIndexOf(".", equals)
    if (equals < 0 || dot < 1 || dot + 1 === equals) return equals < 0 ? param : param.slice(0, equals)
    const service = collected[param.slice(0, dot)] ??= Object.create(null)
    service[param.slice(dot + 1, equals)] = read(param.slice(equals + 1))
  }
  return collected
}
