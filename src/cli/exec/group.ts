/** The processes of a command, and the signals that they get. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { isatty } from "node:tty"

/** The processes of a command. */
export interface Group {
  /** Passes a signal on. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Kills all of them with SIGKILL. */
  readonly kill: () => void
  /** Returns whether any are left once the command itself has ended, as far as that can be known. */
  readonly isLeft: () => boolean
}

/**
 * Whether the command is to have a process group of its own. On a terminal it stays in that of this process, since the
 * system lets no other one read the keyboard: Ctrl-C reaches both, and a password prompt works.
 */
export const hasOwnGroup = (): boolean => process.platform !== "win32" && !isatty(0)

/** Returns the processes of a command that was started with this process id. */
export const groupOf = (pid: number, own: boolean): Group => own ? ownGroup(pid) : sharedGroup(pid)

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // it has just ended, or belongs to another user
  }
}

const ownGroup = (pid: number): Group => ({
  signal: (signal) => {
    send(-pid, signal)
    // a process that is stopped gets the signal once it goes on
    if (signal !== "SIGKILL") send(-pid, "SIGCONT")
  },
  kill: () => send(-pid, "SIGKILL"),
  isLeft: () => {
    try {
      process.kill(-pid, 0)
    } catch {
      return false
    }
    // a process that has ended and that nobody waits for is there as well
    return processes().some(({ group, isZombie }) => group === pid && !isZombie)
  }
})

const sharedGroup = (pid: number): Group => ({
  signal: (signal) => {
    // the terminal has sent it to the command, too
    if ((signal === "SIGINT" || signal === "SIGQUIT") && process.platform !== "win32" && isInForeground()) return
    send(pid, signal)
    if (process.platform !== "win32") send(pid, "SIGCONT")
  },
  kill: () => {
    // the command first, which would go on when what it waits for has ended
    for (const one of [pid, ...descendantsOf(pid)]) send(one, "SIGKILL")
  },
  isLeft: () => false
})

// -----------------------------------------------------------------------------
// the table of processes
// -----------------------------------------------------------------------------

interface Process {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly isZombie: boolean
}

/** Returns all processes that can be seen. */
const processes = (): ReadonlyArray<Process> => {
  if (process.platform === "win32") return []
  if (process.platform !== "linux") {
    const { stdout = "" } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat="], { encoding: "utf8" })
    return stdout.split("\n").flatMap((line) => {
      const [pid, parent, group, state = ""] = line.trim().split(/\s+/)
      return pid === undefined || pid === "" ? [] : [made(pid, parent, group, state)]
    })
  }
  return entriesOf("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined
    return stat === undefined ? [] : [made(name, stat[1], stat[2], stat[0] ?? "")]
  })
}

const made = (pid: string, parent: string | undefined, group: string | undefined, state: string): Process => ({
  pid: Number(pid),
  parent: Number(parent),
  group: Number(group),
  isZombie: /^[ZX]/.test(state)
})

const entriesOf = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Returns the fields of `/proc/PID/stat` after the name, which may have any characters in it: state, parent, group, … */
const statOf = (pid: string): ReadonlyArray<string> | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

const descendantsOf = (pid: number): ReadonlyArray<number> => {
  const all = processes()
  const found = new Set([pid])
  for (let before = 0; before !== found.size;) {
    before = found.size
    for (const one of all) if (found.has(one.parent)) found.add(one.pid)
  }
  found.delete(pid)
  return [...found]
}

/** Whether the keys of the terminal reach this process. Where that is not known, they do. */
const isInForeground = (): boolean => {
  const stat = process.platform === "linux" ? statOf("self") : undefined
  return stat === undefined || stat[2] === stat[5]
}
