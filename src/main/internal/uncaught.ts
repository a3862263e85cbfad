/** Listens to errors that nothing catches, and tells of them. */
import * as Cause from "effect/Cause"
import process from "node:process"
import { causeDetail, causeHeadline } from "../../internal/text/errors.ts"

const events = ["uncaughtException", "unhandledRejection"] as const

type UncaughtEvent = (typeof events)[number]

/** The part of a process that tells of errors that nothing catches. */
export interface Throwing {
  readonly on: (event: UncaughtEvent, listener: (error: unknown) => void) => unknown
  readonly off: (event: UncaughtEvent, listener: (error: unknown) => void) => unknown
  readonly listenerCount: (event: UncaughtEvent) => number
}

/** Returns an error that nothing catches as text, with its stack. */
export const uncaughtDetail = (error: unknown): string => `uncaught ${causeDetail(Cause.die(error))}`

/** Returns an error that nothing catches on one line. */
export const uncaughtLine = (error: unknown): string => `uncaught ${causeHeadline(Cause.die(error))}`

/**
 * Calls a function with each error that nothing catches, which then does not end the process by itself. Leaves it to
 * listeners of the user's, if there are any. Returns a function that stops listening.
 */
export const listenToUncaught = (onError: (error: unknown) => void, host: Throwing = process): () => void => {
  const listeners = events.map((event) => {
    const listener = (error: unknown) => {
      if (host.listenerCount(event) === 1) onError(error)
    }
    host.on(event, listener)
    return () => host.off(event, listener)
  })
  return () => listeners.forEach((remove) => remove())
}
