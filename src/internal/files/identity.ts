/** Tells processes apart, and whether one that has noted itself still lives. */

/** A process, as it notes itself in a database. A field is empty where the system does not tell it. */
export interface Identity {
  /** The start of the system, or its name: a process number means nothing elsewhere, or after that. */
  readonly system: string
  /** The namespace of process numbers: each container has its own. */
  readonly namespace: string
  readonly pid: number
  /** When the process began, in ticks: another process may get its number later. */
  readonly start: string
  /** The thread of the process. */
  readonly thread: number
}

const fs = () => process.getBuiltinModule("node:fs")

const readOr = (read: () => string): string => {
  try {
    return read()
  } catch {
    // no such file outside of Linux, and Deno asks for all permissions
    return ""
  }
}

/** Returns the fields of the status of a process on Linux from the third on, or none. */
const statusOf = (pid: number | "self"): ReadonlyArray<string> => {
  const stat = readOr(() => fs().readFileSync(`/proc/${pid}/stat`, "utf8"))
  // the second field is the name of the program in parentheses, which may hold any character
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** Returns when a process began, from its status on Linux; empty where the system does not tell it. */
const startOf = (pid: number | "self"): string => statusOf(pid)[19] ?? ""

/** The states of processes that have ended, of which only the status is left until their parent asks for it. */
const endedStates: ReadonlySet<string | undefined> = new Set(["Z", "X", "x"])

/**
 * Whether the system may be asked about processes. Deno would ask its user for permissions that reading and writing files
 * does not need, so it is asked only where it has all of them.
 */
const mayAsk = (): boolean => {
  // a cast, since other runtimes have no such global
  const { Deno } = globalThis as {
    readonly Deno?: { readonly permissions: { readonly querySync: (one: object) => { readonly state: string } } }
  }
  return Deno === undefined ||
    ["read", "write", "net", "env", "run", "sys", "ffi"].every((name) =>
      Deno.permissions.querySync({ name }).state === "granted"
    )
}

let own: Identity | undefined

/** Returns the identity of this process, which does not change. */
export const identify = (): Identity =>
  own ??= {
    system: readOr(() => fs().readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ||
      readOr(() => process.getBuiltinModule("node:os").hostname()),
    namespace: readOr(() => fs().readlinkSync("/proc/self/ns/pid")),
    pid: process.pid,
    start: startOf("self"),
    thread: process.getBuiltinModule("node:worker_threads").threadId
  }

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

const exists = (pid: number): boolean | undefined => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    const code = Object(cause).code
    return code === "ESRCH" ? false : code === "EPERM" ? true : undefined
  }
}

/** Says whether a process lives; `undefined` where it has to be asked, as one on another machine or in another container. */
export const lives = (other: Identity, own: Identity): boolean | undefined => {
  if (other.system !== own.system || other.namespace !== own.namespace) return undefined
  // another thread, of which the system says nothing
  if (other.pid === own.pid && other.start === own.start) return undefined
  if (other.start !== "" && own.start !== "") {
    const status = statusOf(other.pid)
    if (status.length > 0) return status[19] === other.start && !endedStates.has(status[0])
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
