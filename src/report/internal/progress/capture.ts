/**
 * Captures all other output of the process while the tree stands at the bottom of the terminal, so that it can be
 * printed above the tree, and restores terminal and streams however the process ends.
 */
import process from "node:process"
import { StringDecoder } from "node:string_decoder"
import type { StreamName } from "../../../internal/text/terminal.ts"

/** @internal */
export interface Handlers {
  /** Called with whole lines, and with the beginning of a line that has no end yet. */
  readonly print: (stream: StreamName, lines: string, rest: string) => void
  /** Wraps a write whose text can't be captured. */
  readonly around: <A>(write: () => A) => A
  /** Called when the process is about to end, or may be: it may not come to any other call. */
  readonly leave: () => void
  /** Returns whether no tree is shown now, so that output may go straight to the stream. */
  readonly isAway: () => boolean
}

/** The methods of `console` that write to each stream. */
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

/** How much of a line without an end is kept, in UTF-16 code units, before it is printed with an end. */
const maxUnfinished = 16_384

/**
 * Captures output to these streams, which all show on the same terminal. Returns a function that ends the capture.
 *
 * If other code has replaced a stream's `write` or a method of `console` meanwhile, its function stays in place, and
 * the one of this module that it wraps lets everything through from then on.
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
    // Node's console writes to the streams captured above. The consoles of Bun and Deno bypass them.
    ...(process.versions["bun"] === undefined && process.versions["deno"] === undefined
      ? []
      : streams.flatMap((name) => methods[name].map((method) => captureMethod(method, around)))),
    onEnd(leave)
  ]
  return () => {
    for (const end of undo) end()
  }
}

/** Replaces a property, own or inherited. Returns a function that restores it, unless it was replaced again. */
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
    // The stream itself rejects a chunk that is neither text nor bytes.
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

const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const

/** Calls `leave` when the process ends or is stopped, and when a signal or an uncaught error may end it. */
const onEnd = (leave: () => void): () => void => {
  // Deno.exit emits only this event
  globalThis.addEventListener?.("unload", leave)
  process.on("exit", leave).on("uncaughtExceptionMonitor", leave)
  const undo = [
    ...signals.map((signal) =>
      onSignal(signal, (listener) => {
        leave()
        process.off(signal, listener)
        process.kill(process.pid, signal)
      })
    ),
    // Ctrl-Z. What is drawn next, when the process goes on, is below what the shell has printed meanwhile.
    onSignal("SIGTSTP", () => {
      leave()
      // not SIGTSTP again: Deno can't give a signal its default meaning back
      process.kill(process.pid, "SIGSTOP")
    })
  ]
  return () => {
    globalThis.removeEventListener?.("unload", leave)
    process.off("exit", leave).off("uncaughtExceptionMonitor", leave)
    for (const end of undo) end()
  }
}

/**
 * Calls `act` for a signal if no other listener handles it. `act` is passed the listener.
 *
 * A listener keeps the signal from its usual effect, so `act` has to bring that about. On Deno, a listener added by `once`
 * is already removed when this one runs. Hence the others are counted ahead, twenty times a second.
 */
const onSignal = (signal: NodeJS.Signals, act: (listener: () => void) => void): () => void => {
  let others = 0
  const count = () => {
    others = process.listenerCount(signal) - 1
  }
  const listener = () => {
    if (others > 0 || process.listenerCount(signal) > 1) return
    act(listener)
  }
  try {
    // at the front, where `once` listeners are still counted
    process.prependListener(signal, listener)
  } catch {
    // this system does not have the signal
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
