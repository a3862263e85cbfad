/** Reads JSON of unknown shape, such as the response of a channel. */

/** Returns the value at a path, or `undefined`. */
export const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let inside = value
  for (const key of path) {
    if (typeof inside !== "object" || inside === null) return undefined
    // the cast: an object may have any key
    inside = (inside as Readonly<Record<string, unknown>>)[key]
  }
  return inside
}

/** Returns the text at a path, or `undefined` where there is none or it is empty. */
export const textAt = (value: unknown, ...path: ReadonlyArray<string>): string | undefined => {
  const text = at(value, ...path)
  return typeof text === "string" && text !== "" ? text : undefined
}

/** Returns the finite number at a path, or `undefined`. */
export const numberAt = (value: unknown, ...path: ReadonlyArray<string>): number | undefined => {
  const number = at(value, ...path)
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

/** Returns the list at a path, or an empty one. */
export const listAt = (value: unknown, ...path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const list = at(value, ...path)
  return Array.isArray(list) ? list : []
}
