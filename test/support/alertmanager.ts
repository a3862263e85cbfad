/** Starts Prometheus Alertmanager with a configuration and a storage of its own. Its only receiver is a webhook. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { freePort } from "./freePort.ts"
import { temporaryFolder } from "./temporaryFolder.ts"

const program = "/usr/bin/prometheus-alertmanager"

const remedy = "with apt-get install prometheus-alertmanager"

/**
 * Returns whether to register a suite that needs Alertmanager, and reports one that is skipped. With `CI_REQUIRE_ALL=1`
 * the suite is registered even without Alertmanager, and fails.
 */
export const required = (what: string): boolean => {
  if (existsSync(program) || process.env["CI_REQUIRE_ALL"] === "1") return true
  process.stderr.write(`skipped: ${what} (needs Alertmanager: ${remedy})\n`)
  return false
}

/** An alert as `GET /api/v2/alerts` returns it. */
interface Open {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
}

export interface AlertmanagerServer {
  readonly url: string
  /** The alerts that are open, by severity. */
  readonly open: Effect.Effect<ReadonlyArray<Open>>
}

const configuration = (webhook: string): string => `
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10ms
  group_interval: 50ms
receivers:
  - name: ops
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
`

const isReady = (url: string): Effect.Effect<boolean> =>
  Effect.promise(() => fetch(`${url}/-/ready`).then(({ ok }) => ok, () => false))

/** Stops Alertmanager when its standard input closes: when the scope closes, or this process is killed. */
const keeper = `"$@" & while IFS= read -r _; do :; done; kill $!; wait`

/** Starts a server that tells a webhook of its alerts, and stops it when the scope closes. */
export const alertmanager = (webhook: string): Effect.Effect<AlertmanagerServer, Error, Scope.Scope> =>
  Effect.gen(function*() {
    if (!existsSync(program)) return yield* Effect.fail(new Error(`no Alertmanager (${remedy})`))
    const port = yield* freePort
    const folder = yield* temporaryFolder("alertmanager")
    const url = `http://127.0.0.1:${port}`
    const config = join(folder, "alertmanager.yml")
    writeFileSync(config, configuration(webhook))
    let log = ""
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn("sh", [
          "-c",
          keeper,
          "alertmanager-keeper",
          program,
          `--config.file=${config}`,
          `--storage.path=${join(folder, "data")}`,
          `--web.listen-address=127.0.0.1:${port}`,
          "--cluster.listen-address="
        ], { stdio: ["pipe", "ignore", "pipe"] })
        child.stderr.on("data", (chunk) => {
          log += String(chunk)
        })
        return child
      }),
      (child) =>
        Effect.promise(() =>
          new Promise<void>((resolve) => {
            child.once("close", () => resolve())
            child.stdin.end()
          })
        )
    )
    const up = yield* Effect.repeat(Effect.delay(isReady(url), "20 millis"), { until: (up) => up, times: 500 })
    if (!up) return yield* Effect.fail(new Error(`Alertmanager did not start:\n${log}`))
    return {
      url,
      open: Effect.promise(async () => {
        const alerts: ReadonlyArray<Open> = JSON.parse(await (await fetch(`${url}/api/v2/alerts`)).text())
        return alerts.toSorted((a, b) => a.labels["severity"]! < b.labels["severity"]! ? -1 : 1)
      })
    }
  })
