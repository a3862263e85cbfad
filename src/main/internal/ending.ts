/** Listens to ends of a process that nobody has asked for. */
import process from "node:process"

/** The part of a process that tells of its end. */
export interface Ending {
  readonly on: (event: "beforeExit" | "exit", listener: (code: number) => void) => unknown
  readonly off: (event: "beforeExit" | "exit", listener: (code: number) => void) => unknown
  /** Calls a function where the process is ended in another way. Returns a function that stops listening. */
  readonly onUnload: (listener: (code: number) => void) => () => void
}

/** @internal */
export interface EndListeners {
  /** Called with the exit code where something ends the process by itself, as `process.exit` in a library does. */
  readonly onExit?: ((code: number) => void) | undefined
  /** Called where nothing is left that could keep the process alive, or end what it waits for. */
  readonly onEmpty?: (() => void) | undefined
}

/** Says that nothing is left that could end what a process waits for. */
export const stuckIn = (what: string): string =>
  `${what} has not ended, and nothing is left that could end it: it waits for a promise, a deferred, a queue or a fiber ` +
  "that nothing completes"

/**
 * Calls a function with the exit code when `Deno.exit` ends the process, of which no listener of Node's learns. Returns a
 * function that stops listening. Does nothing on other runtimes.
 */
export const onUnload = (listener: (code: number) => void): () => void => {
  // the cast: a global of Deno's, whose types are not those of this package
  const { Deno: deno } = globalThis as { readonly Deno?: { readonly exitCode: number } }
  if (deno === undefined) return () => {}
  const onEvent = () => listener(deno.exitCode)
  globalThis.addEventListener("unload", onEvent)
  return () => globalThis.removeEventListener("unload", onEvent)
}

const own: Ending = { on: process.on.bind(process), off: process.off.bind(process), onUnload }

/** Listens to such ends. Returns a function that stops listening. */
export const listenToEnd = ({ onEmpty, onExit }: EndListeners, host: Ending = own): () => void => {
  const listeners: Array<() => void> = []
  const listen = (event: "beforeExit" | "exit", listener: (code: number) => void): void => {
    host.on(event, listener)
    listeners.push(() => host.off(event, listener))
  }
  if (onEmpty !== undefined) {
    listen("beforeExit", () => {
      onEmpty()
      // without anything to do in between, the event does not come again, where the finalizers of an interruption wait
      setImmediate(() => {})
    })
  }
  if (onExit !== undefined) {
    listen("exit", onExit)
    listeners.push(host.onUnload(onExit))
  }
  return () => listeners.forEach((remove) => remove())
}
