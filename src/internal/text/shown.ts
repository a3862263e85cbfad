/** Shows a value that is not valid as it is written in code. Callers without types may pass one of any type. */
export const shown = (value: unknown): string => {
  if (typeof value === "bigint") return `${value}n`
  return typeof value === "number" ? String(value) : JSON.stringify(value) ?? typeof value
}
