/** Makes Node use the proxies that the environment names, as Bun and Deno do by themselves. */
import process from "node:process"
import { UsageError } from "../request.ts"
import { err } from "../terminal.ts"

const names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]

/** Tells Node that it shall use proxies: https://nodejs.org/api/cli.html#node_use_env_proxy1 */
const variable = "NODE_USE_ENV_PROXY"

// a part of the types, since Node's do not say that what its later versions have may be missing
interface Http {
  readonly setGlobalProxyFromEnv?: () => unknown
}
interface Process {
  readonly execve?: (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => void
}

/**
 * Makes this process and those that it starts use proxies, unless the variable is set already, to whatever value.
 * Where Node can't begin with it later on, the process is replaced by one that was started so.
 */
export const useProxies = (): void => {
  // first, since on Deno even to look at a variable takes a permission
  if (process.versions["bun"] !== undefined || process.versions["deno"] !== undefined) return
  const { env, execArgv } = process
  const name = names.find((name) => env[name] !== undefined && env[name] !== "")
  if (name === undefined || env[variable] !== undefined || execArgv.includes("--use-env-proxy")) return
  if (!process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) {
    return err(`warning: ${name} is not used: Node ${process.version} knows no proxies, Node 22.21 and 24.5 do`)
  }
  const http: Http = process.getBuiltinModule("node:http")
  if (http.setGlobalProxyFromEnv === undefined) {
    env[variable] = "1"
    const { execve }: Process = process
    if (execve !== undefined && process.platform !== "win32") {
      return execve.call(process, process.execPath, [
        process.execPath,
        "--disable-warning=UNDICI-EHPA",
        ...execArgv,
        ...process.argv.slice(1)
      ], env)
    }
    return err(`warning: ${name} is used by the run alone: set ${variable}=1 for alerts of its supervisor`)
  }
  try {
    http.setGlobalProxyFromEnv()
  } catch {
    // Node's error has the address, in which there may be a password
    throw new UsageError({
      message: `${name} or its like is not the address of a proxy: expected http://… or https://…`
    })
  }
  env[variable] = "1"
}
