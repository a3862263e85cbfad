/**
 * What else is written while lines stay at the bottom of the terminal: it has to go above them, and whatever ends the
 * process, the terminal and the streams have to be as they were.
 */
import process from "node:process"
import { StringDecoder } from "node:string_decoder"
import type { StreamName } from "../../../internal/text/terminal.ts"

/** @internal */
export interface Handlers {
  /** Whole lines, and what there is of one that goes on. */
  readonly print: (stream: StreamName, lines: string, rest: string) => void
  /** What is written and not seen. */
  readonly around: <A>(write: () => A) => A
  /** The process ends, or may: nothing can be relied upon after this. */
  readonly leave: () => void
  /** Whether nothing is shown now, so that what is written needs no care. */
  readonly isAway: () => boolean
}

/** Which methods of a console write where. */
const methods: Readonly<Record<StreamName, ReadonlyArray<keyof Console & string>>> = {
  stdout: [
    "clear",
    "count",
    "debug",
    "dir",
    "dirxml",
    "group",
    "groupCollapsed",
    "info",
    "log",
    "table",
    "timeEnd",
    "timeLog"
  ],
  stderr: ["assert", "countReset", "error", "time", "trace", "warn"]
}

/** A stream's text may come without any line end; then it is given one at last. */
const maxUnfinished = 16_384

/**
 * Watches these streams, which all show on the same terminal. Gives back what ends it; a stream or method that someone
 * else has replaced meanwhile stays theirs, and what they call of this lets everything through from then on.
 */
export const capture = (streams: ReadonlyArray<StreamName>, handlers: Handlers): () => void => {
  let inside = 0
  const around = <A>(write: () => A): A => {
    if (inside > 0 || handlers.isAway()) return write()
    inside++
    try {
      return handlers.around(write)
    } finally {
      inside--
    }
  }
  const captured = streams.map((name) => captureStream(name, handlers, () => inside > 0 || handlers.isAway()))
  const leave = () => {
    for (const { flush } of captured) flush()
    handlers.leave()
  }
  const undo = [
    ...captured.map(({ end }) => end),
    // that of Node writes to the streams, those of Bun and Deno around them
    ...(process.versions["bun"] === undefined && process.versions["deno"] === undefined
      ? []
      : streams.flatMap((name) => methods[name].map((method) => captureMethod(method, around)))),
    onEnd(leave)
  ]
  return () => {
    for (const end of undo) end()
  }
}

/** Replaces a property, whether its own or inherited. Gives back what puts the former in its place again. */
const replace = (target: object, key: string, value: unknown): () => void => {
  const before = Object.getOwnPropertyDescriptor(target, key)
  Object.defineProperty(target, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: before?.enumerable ?? true
  })
  return () => {
    if (Reflect.get(target, key) !== value) return
    if (before === undefined) Reflect.deleteProperty(target, key)
    else Object.defineProperty(target, key, before)
  }
}

const captureStream = (
  name: StreamName,
  { print }: Handlers,
  isLetThrough: () => boolean
): { readonly flush: () => void; readonly end: () => void } => {
  const stream = process[name]
  const original = stream.write
  const decoder = new StringDecoder("utf8")
  let open = true
  let rest = ""
  const write = (chunk: unknown, ...args: ReadonlyArray<unknown>): boolean => {
    // what is no text is for the stream to refuse
    if (!open || isLetThrough() || !(typeof chunk === "string" || chunk instanceof Uint8Array)) {
      return Reflect.apply(original, stream, [chunk, ...args])
    }
    const encoding = typeof args[0] === "string" && Buffer.isEncoding(args[0]) ? args[0] : "utf8"
    const text = rest + decoder.write(typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk))
    const end = text.lastIndexOf("\n") + 1
    rest = text.slice(end)
    if (rest.length <= maxUnfinished) print(name, text.slice(0, end), rest)
    else {
      rest = ""
      print(name, `${text}\n`, rest)
    }
    const done = args.find((arg) => typeof arg === "function")
    if (done !== undefined) queueMicrotask(() => Reflect.apply(done as () => void, undefined, []))
    return true
  }
  const restore = replace(stream, "write", write)
  const flush = () => {
    if (rest === "") return
    print(name, `${rest}\n`, "")
    rest = ""
  }
  return {
    flush,
    end: () => {
      flush()
      open = false
      restore()
    }
  }
}

const captureMethod = (method: keyof Console & string, around: <A>(write: () => A) => A): () => void => {
  const { console } = globalThis
  const original: unknown = console[method]
  if (typeof original !== "function") return () => {}
  let open = true
  const write = (...args: ReadonlyArray<unknown>): unknown => {
    const call = (): unknown => Reflect.apply(original, console, args)
    return open ? around(call) : call()
  }
  const restore = replace(console, method, write)
  return () => {
    open = false
    restore()
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Calls it when the process ends, and when it may: by a signal, or by what nobody caught. */
const onEnd = (leave: () => void): () => void => {
  // `Deno.exit` tells nobody but those who listen for this
  globalThis.addEventListener?.("unload", leave)
  process.on("exit", leave).on("uncaughtExceptionMonitor", leave)
  const undo = signals.map((signal) => onSignal(signal, leave))
  return () => {
    globalThis.removeEventListener?.("unload", leave)
    process.off("exit", leave).off("uncaughtExceptionMonitor", leave)
    for (const end of undo) end()
  }
}

/**
 * Who listens for a signal keeps it from ending the process. So where nobody else does, the process is sent it once
 * more without this. Whoever listens only once is not among the listeners any more on Deno when this is called; hence
 * it is asked for before, again and again.
 */
const onSignal = (signal: NodeJS.Signals, leave: () => void): () => void => {
  let others = 0
  const count = () => {
    others = process.listenerCount(signal) - 1
  }
  const listener = () => {
    if (others > 0 || process.listenerCount(signal) > 1) return
    leave()
    process.off(signal, listener)
    process.kill(process.pid, signal)
  }
  try {
    // first, while those who listen only once are counted
    process.prependListener(signal, listener)
  } catch {
    // not all systems have all signals
    return () => {}
  }
  count()
  const timer = setInterval(count, 50)
  timer.unref()
  return () => {
    clearInterval(timer)
    process.off(signal, listener)
  }
}
