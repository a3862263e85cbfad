/**
 * Reads values that others made without being stopped by them: getters and proxies may throw, and chains of prototypes
 * may have no end.
 */

/** The result of reading what can't be read. */
export class Unreadable {
  readonly #thrown: unknown

  constructor(thrown: unknown) {
    this.#thrown = thrown
  }

  /** Not by `instanceof`, which may not end for a proxy. */
  static is(value: unknown): value is Unreadable {
    return typeof value === "object" && value !== null && #thrown in value
  }

  get thrown(): unknown {
    return this.#thrown
  }
}

/** Calls a function, and returns what it throws as an {@link Unreadable}. */
export const attempt = <A>(read: () => A): A | Unreadable => {
  try {
    return read()
  } catch (thrown) {
    return new Unreadable(thrown)
  }
}

/** Calls a function, and returns `otherwise` where it throws. */
export const readOr = <A, B>(otherwise: B, read: () => A): A | B => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** Reads a property of an object. */
export const property = (object: object, key: string): unknown =>
  // the cast: any property may be asked for, and is `unknown`
  attempt(() => (object as Readonly<Record<string, unknown>>)[key])

/** Returns a property if it is text. */
export const textProperty = (object: object, key: string): string | undefined => {
  const value = property(object, key)
  return typeof value === "string" ? value : undefined
}

interface Runtime {
  readonly process?: {
    readonly getBuiltinModule?: (
      name: string
    ) => { readonly types?: { readonly isProxy?: (value: unknown) => boolean } } | undefined
  }
}

let isProxyHere: ((value: unknown) => boolean) | undefined

/**
 * Returns whether an object is a proxy, where the runtime tells. The keys of a proxy are not listed: the engine reads
 * all of them before it returns the first, and a trap may name any number.
 */
export const isProxy = (value: object): boolean => {
  isProxyHere ??= readOr(undefined, () =>
    // not imported, since the core also runs where there is no such module; the cast: so there may be no process
    (globalThis as Runtime).process?.getBuiltinModule?.("node:util")?.types?.isProxy) ?? (() => false)
  return isProxyHere(value)
}

/** Prototypes that are looked at. A proxy may give a new one each time, for which `instanceof` would not end. */
const mostPrototypes = 100

/** Returns whether a prototype is among those of an object, without reading its properties. */
export const isInstance = (value: object, prototype: object): boolean => {
  let at: object | null = value
  for (let i = 0; i < mostPrototypes && at !== null; i++) {
    if (at === prototype) return true
    at = Object.getPrototypeOf(at)
  }
  return false
}

/**
 * Returns whether a value that other code made is an instance of a class. `instanceof` throws for a revoked proxy, and
 * may not end for others.
 */
export const isInstanceOf = <A extends object>(
  value: unknown,
  type: { readonly prototype: A }
): value is A => typeof value === "object" && value !== null && readOr(false, () => isInstance(value, type.prototype))

/** Returns whether a value is an `Error`, also one of another realm. */
export const isError = (value: unknown): value is Error =>
  typeof value === "object" && value !== null && readOr(false, () =>
    isInstance(value, Error.prototype) ||
    (!isProxy(value) && Object.prototype.toString.call(value) === "[object Error]"))

/**
 * Returns the two errors of a `SuppressedError`: what failed first, and what failed when the resources of a block were
 * disposed. By its name, since compilers bring one along where the runtime has none.
 */
export const suppressedBy = (error: object): ReadonlyArray<unknown> | undefined =>
  textProperty(error, "name") === "SuppressedError"
    ? ["suppressed", "error"].map((key) => property(error, key))
    : undefined

/** Returns the tag of a tagged value. */
export const tagOf = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const tag = textProperty(value, "_tag")
  return tag === "" ? undefined : tag
}

/** The longest name that is shown of an error. */
const longestName = 200

/** Returns the name of an error, on one line. */
export const nameOf = (error: object): string | undefined => {
  const name = textProperty(error, "name")?.slice(0, longestName).trim()
  return name === "" || name?.includes("\n") ? undefined : name
}

/**
 * Names the reason why a value can't be read: the name of what was thrown.
 *
 * The message is left out, since it may hold the secret that the value does.
 */
export const unreadable = ({ thrown }: Unreadable): string =>
  `<unreadable: ${isError(thrown) ? nameOf(thrown) ?? "Error" : "an error"}>`

/** As {@link unreadable}, with the beginning of the message of what was thrown. */
export const unreadableWhy = ({ thrown }: Unreadable): string => {
  const message = typeof thrown === "string" ? thrown : isError(thrown) ? textProperty(thrown, "message") : undefined
  const why = message?.slice(0, longestName).split("\n", 1)[0]?.trim()
  const name = isError(thrown) ? nameOf(thrown) ?? "Error" : undefined
  return `<unreadable: ${[name, why].filter(Boolean).join(": ") || "an error"}>`
}
