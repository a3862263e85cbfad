/** Looks into what a channel answered, which may be anything. */

/** What is at a path, if anything is. */
export const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let inside = value
  for (const key of path) {
    if (typeof inside !== "object" || inside === null) return undefined
    // a cast, since any object may be asked for any key
    inside = (inside as Readonly<Record<string, unknown>>)[key]
  }
  return inside
}

/** A text that is not empty. */
export const textAt = (value: unknown, ...path: ReadonlyArray<string>): string | undefined => {
  const text = at(value, ...path)
  return typeof text === "string" && text !== "" ? text : undefined
}

/** @internal */
export const numberAt = (value: unknown, ...path: ReadonlyArray<string>): number | undefined => {
  const number = at(value, ...path)
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

/** @internal */
export const listAt = (value: unknown, ...path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const list = at(value, ...path)
  return Array.isArray(list) ? list : []
}
