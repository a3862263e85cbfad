/** Tells the inside of a program that its process is asked to stop. */
import type { Stopping } from "../../internal/model/stopping.ts"

/** @internal */
export interface Stop extends Stopping {
  /** Tells that the process is to stop: on a signal, if one is given, or for a failure. The first ones count. */
  readonly stop: (signal?: NodeJS.Signals, failure?: string) => void
  readonly signal: () => NodeJS.Signals | undefined
}

/** Makes the end of a process that has not been asked to stop. `staying` counts the durable runs under way. */
export const make = (staying: () => number = () => 0): Stop => {
  const listeners = new Set<() => void>()
  let isStopping = false
  let signalled: NodeJS.Signals | undefined
  let failed: string | undefined
  return {
    signal: () => signalled,
    failure: () => failed,
    staying,
    onStop: (then) => {
      if (isStopping) {
        then()
        return () => {}
      }
      // a listener of its own, though several may listen with one function
      const listener = () => then()
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: (signal, failure) => {
      failed ??= failure
      signalled ??= signal
      isStopping = true
      const told = [...listeners]
      listeners.clear()
      for (const listener of told) listener()
    }
  }
}
