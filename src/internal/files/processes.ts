/** Asks the system about processes: Linux by /proc, other Unix systems by `ps`, and Windows only whether one exists. */

/** The status of a process. */
export interface ProcessStatus {
  /** When it began, as the system writes that: another process may get its number later. */
  readonly start: string
  /** Whether it has ended, and only its status is left until its parent asks for that. */
  readonly hasEnded: boolean
}

/** Tells about a system and its processes. */
export interface System {
  /** The start of the system, or its name: a process number means nothing elsewhere, or after that. */
  readonly name: string
  /** The namespace of process numbers; empty where there is only one. */
  readonly namespace: string
  /** Returns the status of a process, or `undefined` where there is none, or the system does not tell it. */
  readonly statusOf: (pid: number | "self") => ProcessStatus | undefined
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

/** The states of processes that have ended. */
const endedStates: ReadonlySet<string | undefined> = new Set(["Z", "X", "x"])

/** Reads the status of a process on Linux. */
const statusInProc = (pid: number | "self"): ProcessStatus | undefined => {
  const stat = readOr(() => fs().readFileSync(`/proc/${pid}/stat`, "utf8"))
  // the second field is the name of the program in parentheses, which may hold any character
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  // a process of another user has none where /proc is mounted with hidepid
  return stat === "" ? undefined : { start: fields[19] ?? "", hasEnded: endedStates.has(fields[0]) }
}

/** For how long an answer of `ps` is used again, in milliseconds: lists ask for the process of each of their runs. */
const memory = 1_000

/** Returns a function that asks `ps` for the state of a process and the second in which it began. */
const makeStatusByPs = (): System["statusOf"] => {
  let askedAt = -Infinity
  const known = new Map<number, ProcessStatus | undefined>()
  const ask = (pid: number): ProcessStatus | undefined => {
    // starting a process takes milliseconds
    if (exists(pid) === false) return undefined
    const text = readOr(() =>
      process.getBuiltinModule("node:child_process").execFileSync(
        "/bin/ps",
        ["-o", "stat=", "-o", "lstart=", "-p", String(pid)],
        // another process may have another language and time zone
        { encoding: "utf8", env: { LC_ALL: "C", TZ: "UTC" }, stdio: ["ignore", "pipe", "ignore"], timeout: 2_000 }
      )
    )
    const [, state, start] = /^\s*(\S+)\s+(\S.*\S)\s*$/.exec(text) ?? []
    return state === undefined || start === undefined
      ? undefined
      : { start, hasEnded: endedStates.has(state[0]) }
  }
  return (which) => {
    const pid = which === "self" ? process.pid : which
    const now = performance.now()
    if (now - askedAt > memory) {
      known.clear()
      askedAt = now
    }
    if (!known.has(pid)) known.set(pid, ask(pid))
    return known.get(pid)
  }
}

const hostname = () => readOr(() => process.getBuiltinModule("node:os").hostname())

/** Returns what a system tells; the present one unless a platform is given. */
export const systemOf = (platform: string = process.platform): System => {
  switch (platform) {
    case "linux":
    case "android":
      return {
        name: readOr(() => fs().readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) || hostname(),
        namespace: readOr(() => fs().readlinkSync("/proc/self/ns/pid")),
        statusOf: statusInProc
      }
    case "win32":
      return { name: hostname(), namespace: "", statusOf: () => undefined }
    default:
      return { name: hostname(), namespace: "", statusOf: mayAsk() ? makeStatusByPs() : () => undefined }
  }
}

/**
 * Whether the system may be asked about processes. Deno would ask its user for permissions that reading and writing files
 * does not need, so it is asked only where it has all of them.
 */
export const mayAsk = (): boolean => {
  // a cast, since other runtimes have no such global
  const { Deno } = globalThis as {
    readonly Deno?: { readonly permissions: { readonly querySync: (one: object) => { readonly state: string } } }
  }
  return Deno === undefined ||
    ["read", "write", "net", "env", "run", "sys", "ffi"].every((name) =>
      Deno.permissions.querySync({ name }).state === "granted"
    )
}

/** Says whether a process has this number; `undefined` where the system does not tell. */
export const exists = (pid: number): boolean | undefined => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    const code = Object(cause).code
    return code === "ESRCH" ? false : code === "EPERM" ? true : undefined
  }
}
