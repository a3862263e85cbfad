/** Makes errors that resist being read, for tests that nothing they hold stops the library from telling of them. */
import * as Schema from "effect/Schema"

/** How a property of an error behaves. */
const Property = Schema.Literals([
  "absent",
  "text",
  "empty",
  "lines",
  "long",
  "number",
  "null",
  "object",
  "symbol",
  "function",
  "throws an error",
  "throws a text",
  "throws a proxy",
  "makes a new error each time",
  "itself"
])

const Base = Schema.Literals(["Error", "TypeError", "AggregateError", "object", "no prototype", "array", "function"])

const Wrapping = Schema.Literals([
  "none",
  "transparent proxy",
  "throwing proxy",
  "endless proxy",
  "revoked proxy",
  "its prototype",
  "a field of an object",
  "the cause of an error",
  "a member of an AggregateError"
])

const names = [
  // first: some runtimes make the stack of the message, when it is first asked for
  "stack",
  "message",
  "name",
  "cause",
  "_tag",
  "errors",
  "code",
  "toJSON",
  "toString",
  "constructor"
] as const

/** Describes a hostile value: {@link hostile} makes it. */
export const Hostile = Schema.Struct({
  base: Base,
  wrapping: Wrapping,
  properties: Schema.Struct({
    message: Property,
    name: Property,
    stack: Property,
    cause: Property,
    _tag: Property,
    errors: Property,
    code: Property,
    toJSON: Property,
    toString: Property,
    constructor: Property
  }),
  toPrimitive: Property
})

const revoked = (target: object = {}): object => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const throwing = (): never => {
  throw new TypeError("trapped")
}

const traps = ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor", "isExtensible"] as const

/** A proxy that has a new prototype each time, and more keys than anybody can list. */
const endless = (target: object): object => {
  const proxy: object = new Proxy(target, {
    getPrototypeOf: () => endless({}),
    ownKeys: () => {
      throw new Error("more keys than anybody can list")
    },
    get: (_, key) => key === "message" ? "endless" : undefined
  })
  return proxy
}

const define = (target: object, key: PropertyKey, property: typeof Property.Type): void => {
  const value = (value: unknown) => Object.defineProperty(target, key, { value, enumerable: true, configurable: true })
  const getter = (get: () => unknown) =>
    Object.defineProperty(target, key, { get, enumerable: true, configurable: true })
  switch (property) {
    case "absent":
      return
    case "text":
      return void value("some text")
    case "empty":
      return void value("")
    case "lines":
      return void value("first\nsecond\n    at nowhere (a.ts:1:1)\r\n\u001b[31mred")
    case "long":
      return void value("long ".repeat(100_000))
    case "number":
      return void value(NaN)
    case "null":
      return void value(null)
    case "object":
      return void value({ deep: { deeper: [1n, new Map([[{}, () => 1]])] } })
    case "symbol":
      return void value(Symbol("s"))
    case "function":
      return void value(() => ({}))
    case "throws an error":
      return void getter(throwing)
    case "throws a text":
      return void getter(() => {
        throw "a text"
      })
    case "throws a proxy":
      return void getter(() => {
        throw revoked()
      })
    case "makes a new error each time":
      return void getter(() =>
        Object.defineProperty(new Error("again"), key, Object.getOwnPropertyDescriptor(target, key)!)
      )
    case "itself":
      return void value(target)
  }
}

/** Makes the value that a description is of. */
export const hostile = ({ base, properties, toPrimitive, wrapping }: typeof Hostile.Type): unknown => {
  const target = {
    Error: () => new Error("original"),
    TypeError: () => new TypeError("original"),
    AggregateError: () => new AggregateError([new Error("member"), 1], "several"),
    object: () => ({}),
    "no prototype": (): object => Object.create(null),
    array: () => [1, 2],
    function: () => () => 1
  }[base]()
  for (const name of names) define(target, name, properties[name])
  define(target, Symbol.toPrimitive, toPrimitive)
  switch (wrapping) {
    case "none":
      return target
    case "transparent proxy":
      return new Proxy(target, {})
    case "throwing proxy":
      return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, throwing])))
    case "endless proxy":
      return endless(target)
    case "revoked proxy":
      return revoked(target)
    case "its prototype":
      return Object.create(target)
    case "a field of an object":
      return { _tag: "Holder", target }
    case "the cause of an error":
      return new Error("outer", { cause: target })
    case "a member of an AggregateError":
      return new AggregateError([target, target])
  }
}
