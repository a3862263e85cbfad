/**
 * Decides whether output goes to a terminal and whether it is coloured: for the console alerters, for progress and for
 * what the command prints alike.
 */

/** @internal */
export type StreamName = "stdout" | "stderr"

/** @internal */
export type ColorsOption = "auto" | "always" | "never"

/** `undefined` where a variable is not set, or may not be read. */
export type Environment = Readonly<Record<string, string | undefined>>

interface Runtime {
  readonly process?: {
    readonly env?: Environment
    readonly stdout?: { readonly isTTY?: boolean }
    readonly stderr?: { readonly isTTY?: boolean }
  }
  readonly Deno?: {
    readonly permissions?: { readonly querySync: (descriptor: object) => { readonly state: string } }
  }
}

// A cast, and not `node:process`, since the core also runs where there is no process, as in a browser.
const runtime = globalThis as Runtime

/**
 * Returns whether a stream of this process shows on a terminal. Asked anew each time, since streams may be replaced.
 */
export const isTerminal = (stream: StreamName): boolean => runtime.process?.[stream]?.isTTY === true

/**
 * Reads an environment variable, if that needs no permission.
 *
 * Deno throws where reading it is denied, and on a terminal it stops and asks first: looks are not worth a question.
 */
export const variable = (name: string): string | undefined => {
  try {
    const state = runtime.Deno?.permissions?.querySync({ name: "env", variable: name }).state
    return state === undefined || state === "granted" ? runtime.process?.env?.[name] : undefined
  } catch {
    return undefined
  }
}

/** Returns whether this process may read any file: always, but on Deno, where it needs a permission. */
export const mayRead = (): boolean => {
  try {
    return (runtime.Deno?.permissions?.querySync({ name: "read" }).state ?? "granted") === "granted"
  } catch {
    return false
  }
}

/**
 * Decides whether output is coloured, in this order: `FORCE_COLOR`, which also colours what goes through a pipe, unless
 * it is `0` or `false`, as in Node (https://nodejs.org/api/cli.html#force_color1-2-3); `NO_COLOR`, if it is not empty
 * (https://no-color.org); and whether there is a terminal that knows colours.
 */
export const hasColors = (
  isTerminal: boolean,
  { FORCE_COLOR: force, NO_COLOR: no, TERM: terminal }: Environment
): boolean => {
  if (force !== undefined) return force !== "0" && force !== "false"
  return (no === undefined || no === "") && isTerminal && terminal !== "dumb"
}

/** Returns whether to colour what is written to a stream of this process. */
export const colorsOn = (stream: StreamName, colors: ColorsOption = "auto"): boolean =>
  colors === "auto"
    ? hasColors(isTerminal(stream), {
      FORCE_COLOR: variable("FORCE_COLOR"),
      NO_COLOR: variable("NO_COLOR"),
      TERM: variable("TERM")
    })
    : colors === "always"
