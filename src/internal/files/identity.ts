/** Tells processes apart, and whether one that has noted itself still lives. */
import { exists, mayAsk, type System, systemOf } from "./processes.ts"

/** A process, as it notes itself in a database. A field is empty where the system does not tell it. */
export interface Identity {
  /** The start of the system, or its name: a process number means nothing elsewhere, or after that. */
  readonly system: string
  /** The namespace of process numbers: each container has its own. */
  readonly namespace: string
  readonly pid: number
  /** When the process began, as the system writes that: another process may get its number later. */
  readonly start: string
  /** The thread of the process. */
  readonly thread: number
}

let here: System | undefined
const thisSystem = (): System => here ??= systemOf()

/** Returns the identity of this process as it would note itself on a system. */
export const identityOn = (system: System): Identity => ({
  system: system.name,
  namespace: system.namespace,
  pid: process.pid,
  start: system.statusOf("self")?.start ?? "",
  thread: process.getBuiltinModule("node:worker_threads").threadId
})

let own: Identity | undefined

/** Returns the identity of this process, which does not change. */
export const identify = (): Identity => own ??= identityOn(thisSystem())

/** Returns the identity of this process where the system tells it without asking the user, and not its thread. */
export const identifyQuietly = (): Omit<Identity, "thread"> | undefined => {
  if (!mayAsk()) return undefined
  const { namespace, pid, start, system } = identify()
  return system === "" ? undefined : { system, namespace, pid, start }
}

/** Whether both are this thread of this process. */
const isSame = (a: Identity, b: Identity): boolean =>
  a.system === b.system && a.namespace === b.namespace && a.pid === b.pid && a.start === b.start &&
  a.thread === b.thread

/**
 * Says whether a process lives; `undefined` where it has to be asked, as one on another machine or in another container,
 * or where the system does not tell when processes began.
 */
export const lives = (other: Identity, own: Identity, system: System = thisSystem()): boolean | undefined => {
  if (other.system !== own.system || other.namespace !== own.namespace) return undefined
  // another thread, of which the system says nothing
  if (other.pid === own.pid && other.start === own.start) return undefined
  if (other.start !== "" && own.start !== "") {
    const status = system.statusOf(other.pid)
    if (status !== undefined) return status.start === other.start && !status.hasEnded
    // a process of another user, where /proc is mounted with hidepid, has no status but exists
  }
  // the number may be that of another process by now
  return exists(other.pid) === false ? false : undefined
}

const registry: unique symbol = Symbol.for("effect-epilogue/live")

/** The tokens of what is open in this thread and has noted itself in a database. Copies of this module share them. */
// the cast: nobody else uses this symbol
export const liveTokens: Set<string> = ((globalThis as { [registry]?: Set<string> })[registry] ??= new Set())

/** Says whether what has noted itself with a token is open; `undefined` where it has to be asked. */
export const isAlive = (token: string, other: Identity, own: Identity): boolean | undefined =>
  isSame(other, own) ? liveTokens.has(token) : lives(other, own)
