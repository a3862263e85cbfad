/** Makes objects of fields, for channels that send data. */
import type { Field } from "../../../Alert.ts"

/** Makes an object of fields. A name that is used again gets a number, by `numbered`. */
export const recordOf = (
  fields: ReadonlyArray<Field>,
  numbered: (name: string, use: number) => string
): Record<string, string> => {
  const entries = new Map<string, string>()
  const uses = new Map<string, number>()
  for (const { name, value } of fields) {
    let use = uses.get(name) ?? 1
    let key = name
    while (entries.has(key)) key = numbered(name, ++use)
    uses.set(name, use)
    entries.set(key, value)
  }
  return Object.fromEntries(entries)
}
