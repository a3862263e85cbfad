/** Makes an output stream of this process look like a terminal, or not. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const names = ["FORCE_COLOR", "NO_COLOR", "TERM", "GITHUB_ACTIONS"] as const

type Env = Readonly<Record<typeof names[number], string | undefined>>

/** Sets `isTTY` of a stream and the variables for colours, and for GitHub Actions, until the scope closes. Variables that are not given are unset. */
export const setTerminal = (
  stream: "stdout" | "stderr",
  isTTY: boolean,
  env: Partial<Env> = {}
): Effect.Effect<void, never, Scope.Scope> => {
  const set = (values: Partial<Env>) => {
    for (const name of names) {
      const value = values[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  return Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const { FORCE_COLOR, NO_COLOR, TERM, GITHUB_ACTIONS } = process.env
      const own = Object.getOwnPropertyDescriptor(process[stream], "isTTY")
      Object.defineProperty(process[stream], "isTTY", { value: isTTY, configurable: true, writable: true })
      set(env)
      return { own, env: { FORCE_COLOR, NO_COLOR, TERM, GITHUB_ACTIONS } }
    }),
    (before) =>
      Effect.sync(() => {
        if (before.own === undefined) Reflect.deleteProperty(process[stream], "isTTY")
        else Object.defineProperty(process[stream], "isTTY", before.own)
        set(before.env)
      })
  ))
}
