/**
 * Finds the flags that give a child process of Deno the permissions of this one.
 *
 * `Deno.permissions.query` tells what is granted or denied as a whole, and not which paths, hosts or variables were
 * granted: `prompt` stands for a part as well as for nothing. Those are in the command line of this process, which on
 * Linux another process can read; that this process may start Deno is needed for supervision anyway.
 */
import { spawnSync } from "node:child_process"
import process from "node:process"

const names = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const

/** The answer of `Deno.permissions.query`. */
export interface Status {
  readonly state: "granted" | "denied" | "prompt"
  /** Whether a part of what is granted was denied. */
  readonly partial?: boolean
}

/** The parts of the runtime that the flags depend on. */
export interface Deno {
  readonly query: (descriptor: { readonly name: string; readonly command?: string }) => Promise<Status>
  /** The path of the runtime. */
  readonly execPath: string
  /** Returns the command line of this process, or `undefined` where no other process can read it. */
  readonly commandLine: () => ReadonlyArray<string> | undefined
  /** The arguments of the script. */
  readonly args: ReadonlyArray<string>
}

/** Why a child process can't have the same permissions, and what to do. */
export interface Refused {
  readonly refused: string
}

/** The advice where nothing else helps. */
export const otherwise = "or run without supervision: --no-supervise"

/** Returns the flags, or why there are none. */
export const permissionFlags = async (
  { args, commandLine, execPath, query }: Deno
): Promise<ReadonlyArray<string> | Refused> => {
  const { state } = await query({ name: "run", command: execPath })
  if (state !== "granted") {
    // a flag has denied it, and wins over one that grants it
    const helps = state === "denied" ? "leave out the --deny-run" : `add --allow-run=${execPath}`
    return { refused: `Deno does not let this process start another one: ${helps}, ${otherwise}` }
  }
  const found = await Promise.all(names.map(async (name) => ({ name, ...(await query({ name })) })))
  const isWhole = ({ partial = false, state }: Status) => state === "granted" && !partial
  if (found.every(isWhole)) return ["--allow-all"]
  const unclear = found.filter((status) => status.state !== "denied" && !isWhole(status))
  if (unclear.length > 0) {
    const line = commandLine()
    return (line === undefined ? undefined : flagsIn(line, args)) ?? {
      refused: "Deno does not tell which part of a permission this process has, so a child could not have the same: " +
        `grant or deny the whole of ${unclear.map(({ name }) => name).join(", ")}, ${otherwise}`
    }
  }
  return found.map(({ name, state }) => `--${state === "granted" ? "allow" : "deny"}-${name}`)
}

const long = /^--(?:(?:allow|deny|ignore)-[a-z-]+|no-prompt|permission-set)$/

/** Returns whether a flag is for permissions. A value follows `=`; `-P` names a set of permissions in the config file. */
const isPermission = (flag: string): boolean => {
  const [name = ""] = flag.split("=", 1)
  return name.startsWith("--") ? long.test(name) : name.startsWith("-") && /[ARWNESIP]/.test(name)
}

const config = /^(?:-c|--config)(=|$)/

/** Returns the flags for permissions in a command line that ends with the script and its arguments. */
const flagsIn = (line: ReadonlyArray<string>, args: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  const end = line.length - args.length
  if (args.some((arg, i) => line[end + i] !== arg)) return undefined
  const flags: Array<string> = []
  for (let i = 1; i < end - 1; i++) {
    const [flag = "", next = ""] = line.slice(i)
    if (isPermission(flag)) flags.push(flag)
    const named = config.exec(flag)
    if (named !== null) flags.push(...(named[1] === "=" ? [flag] : [flag, next]))
  }
  return flags
}

/** Returns the command line of this process, by another one, since Deno shows it only to a process with all permissions. */
const ownCommandLine = (): ReadonlyArray<string> | undefined => {
  if (process.platform !== "linux") return undefined
  const read = `await Deno.stdout.write(Deno.readFileSync("/proc/${process.pid}/cmdline"))`
  try {
    const { status, stdout } = spawnSync(process.execPath, ["eval", "--no-config", "--no-lock", read], {
      stdio: ["ignore", "pipe", "ignore"],
      encoding: "utf8"
    })
    // each argument ends with a NUL
    return status === 0 && stdout !== "" ? stdout.split("\0").slice(0, -1) : undefined
  } catch {
    return undefined
  }
}

/** Returns the runtime if this is Deno. */
export const deno = (): Deno | undefined => {
  // a cast, since the types of Deno's global are not those of this project
  const { Deno } = globalThis as { readonly Deno?: { readonly permissions: Pick<Deno, "query"> } }
  if (Deno === undefined) return undefined
  return {
    query: (descriptor) => Deno.permissions.query(descriptor),
    execPath: process.execPath,
    commandLine: ownCommandLine,
    args: process.argv.slice(2)
  }
}
