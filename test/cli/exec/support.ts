/** Runs `epilogue exec` in a shell, as cron and people do. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Ended, root, runtimes } from "../../support/command.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { temporaryFolder } from "../../support/temporaryFolder.ts"

/** A shell in which `epilogue` is a program. It has job control: without it, a shell lets its jobs ignore SIGINT. */
export interface Shell {
  readonly folder: string
  /** Runs a script. Its output is text, and what it starts is a job of its own. */
  readonly run: (script: string, env?: Readonly<Record<string, string>>) => Effect.Effect<Ended>
  /** Returns the alerts of the alerter of {@link alerter}. */
  readonly alerts: () => ReadonlyArray<Told>
}

/** An alert as it is written to a file. */
export interface Told {
  readonly title: string
  readonly body?: string
  readonly detail?: string
  readonly severity: string
  readonly fields?: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly tags?: ReadonlyArray<string>
}

/** The beginning of a config file whose alerter writes to a file. */
export const alerter = "alerter: { jsonLines: { path: ./alerts.jsonl } }\n"

/** Makes a shell in a folder with a config file. */
export const shell = (runtime: Runtime, config: string = alerter): Effect.Effect<Shell, never, Scope.Scope> =>
  Effect.map(temporaryFolder("exec"), (folder) => {
    writeFileSync(join(folder, "alerts.yaml"), config)
    const command = [...runtimes[runtime], join(root, "src/cli/main.ts")].map((word) => `'${word}'`).join(" ")
    // a program, and not a function, whose process as a job of the shell would be another one
    writeFileSync(join(folder, "epilogue"), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
    return {
      folder,
      run: (script, env = {}) =>
        Effect.callback((resume) => {
          const child = spawn("bash", ["-c", `set -m; ${isGone}\n${script}`], {
            cwd: folder,
            env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, NO_COLOR: "1", ...env },
            stdio: ["ignore", "pipe", "pipe"]
          })
          const output = { stdout: "", stderr: "" }
          child.stdout.setEncoding("utf8").on("data", (text: string) => output.stdout += text)
          child.stderr.setEncoding("utf8").on("data", (text: string) => output.stderr += text)
          child.once("close", (code, signal) => resume(Effect.succeed({ code, signal, ...output })))
          return Effect.sync(() => void child.kill("SIGKILL"))
        }),
      alerts: () => {
        const file = join(folder, "alerts.jsonl")
        return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)) : []
      }
    }
  })

/** Returns the value of a field of an alert. */
export const field = (alert: Told | undefined, name: string): string | undefined =>
  alert?.fields?.find((one) => one.name === name)?.value

/** Returns the commands of a shell that wait until a file has a text. */
export const waitFor = (text: string, file: string): string =>
  `for i in $(seq 400); do grep -q ${text} ${file} 2>/dev/null && break; sleep 0.05; done`

/** A function of the shell: whether a process has ended, be it that nobody has waited for it yet. */
const isGone = "gone() { ! grep -q '^State:.[^ZX]' /proc/$(cat $1)/status 2>/dev/null && echo ended; }"

/** Runs an Effect on Bun alone: a shell on each runtime takes minutes, and other tests have what differs between them. */
export const onBun = <A, E, R>(f: (runtime: Runtime) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => f("bun")
