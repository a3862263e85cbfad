/**
 * Starts and kills runners as processes. Each runs `test/durable/fixtures/runner.ts` with the workflows of a `Scenario`:
 * those of a cluster on a port of 127.0.0.1 each, with one database; that of the embedded engine on a file, alone.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import { RunnerAddress } from "effect/cluster/RunnerAddress"
import type * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { Durable } from "../../src/durable/index.ts"
import { freePort } from "./freePort.ts"

/** The services that a scenario's Effects may use. */
export type Services = WorkflowEngine.WorkflowEngine | SqlClient.SqlClient

/** The result of a scenario's check: one line a problem, and counts to print. */
export interface Findings {
  readonly problems: ReadonlyArray<string>
  readonly counts: Readonly<Record<string, number>>
}

/** Workflows and the check of what must hold for them however often their runners die. A module exports it as `scenario`. */
export interface Scenario {
  /** Creates the tables that the workflows and `check` need. Runs once. */
  readonly prepare: Effect.Effect<void, SqlError, SqlClient.SqlClient>
  /** The workflows, registered on each runner. */
  readonly workflows: Layer.Layer<never, never, Services>
  /** Starts the nth run and returns the id of its execution without waiting for it. */
  readonly submit: (nth: number) => Effect.Effect<string, never, Services>
  /** Returns whether an execution has ended. */
  readonly ended: (executionId: string) => Effect.Effect<boolean, never, Services>
  /** Checks all runs after they have ended, given the ids of their executions in the order of submission. */
  readonly check: (executionIds: ReadonlyArray<string>) => Effect.Effect<Findings, SqlError, Services>
}

/** Imports a scenario by its module's path. */
export const load = (path: string): Effect.Effect<Scenario> =>
  Effect.map(
    // the cast: a module that exports something else fails where it is used
    Effect.promise(() => import(path) as Promise<{ readonly scenario: Scenario }>),
    ({ scenario }) => scenario
  )

/**
 * Sharding settings with which runners recover within seconds. Measured on two cores, from `kill -9` until all shards
 * are held again:
 *
 * - A runner that is restarted at once on its port holds its shards again after 0.3 to 0.7 s, whatever the settings:
 *   Postgres drops the advisory locks with the connection, and the address makes it the same runner as before.
 * - Other runners take over after 3.1 to 4.3 s, and with Effect's defaults after 26 to 34 s. `shardLockExpiration`,
 *   the age of a runner's last heartbeat at which it counts as dead, bounds this time. Pings (2.5 s of retries, then
 *   the next health check) may notice sooner, but only one runner pings, and when that one was killed, the others took
 *   the whole expiration.
 *
 * Locks are refreshed at least three times per expiration. With a shorter expiration, live runners on a busy machine
 * would count as dead, and their activities would run again elsewhere.
 */
export const sharding: Partial<ShardingConfig.ShardingConfig["Service"]> = {
  shardsPerGroup: 12,
  shardLockRefreshInterval: "1 second",
  shardLockExpiration: "4 seconds",
  refreshAssignmentsInterval: "500 millis",
  entityMessagePollInterval: "250 millis",
  entityReplyPollInterval: "200 millis",
  sendRetryInterval: "50 millis",
  runnerHealthCheckInterval: "1 second",
  entityTerminationTimeout: "1 second"
}

const database = (url: string) => Layer.orDie(PgClient.layer({ url: Redacted.make(url), maxConnections: 8 }))

/** Whether a URL is that of a cluster's database, and not the path of a file. */
const isCluster = (url: string): boolean => url.startsWith("postgres")

/** Provides an engine that submits and queries executions without running any. */
export const client = (url: string): Layer.Layer<Services> =>
  !isCluster(url) ? Layer.orDie(Durable.layerSqliteClient({ filename: url })) : ClusterWorkflowEngine.layer.pipe(
    Layer.provide(
      Layer.orDie(NodeClusterSocket.layer({ clientOnly: true, storage: "sql", shardingConfig: sharding }))
    ),
    Layer.provideMerge(database(url))
  )

/** Provides an engine that runs the scenario's workflows, as a runner's process does. */
export const member = (url: string, port: number, { workflows }: Scenario): Layer.Layer<Services> => {
  if (!isCluster(url)) return Layer.provideMerge(workflows, Layer.orDie(Durable.layerSqlite({ filename: url })))
  const runnerAddress = Option.some(RunnerAddress.make({ host: "127.0.0.1", port }))
  return workflows.pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provide(Layer.orDie(NodeClusterSocket.layer({
      storage: "sql",
      runnerHealth: "ping",
      shardingConfig: { ...sharding, runnerAddress }
    }))),
    Layer.provideMerge(database(url))
  )
}

/** A runner's settings, passed to its process as JSON in the variable `RUNNER_ORDER`. */
export interface Order {
  /** The URL of a Postgres database, or the path of a file for the embedded engine. */
  readonly url: string
  readonly port: number
  /** The path of the scenario's module. */
  readonly scenario: string
}

export interface Runner {
  readonly pid: number
  /** Sends the signal and waits until the process is gone. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export interface Fleet {
  readonly size: number
  /** Starts the nth runner, which must not be running, on its own port, and waits until it has joined the cluster. */
  readonly start: (nth: number) => Effect.Effect<Runner, Error>
  /** Returns the nth runner if it is running. */
  readonly running: (nth: number) => Runner | undefined
  /** The output of each runner that ended without being killed. */
  readonly died: () => ReadonlyArray<string>
  /** The number of times each warning or error was logged. */
  readonly logged: () => ReadonlyMap<string, number>
}

const script = join(import.meta.dirname, "../durable/fixtures/runner.ts")

/** Prepares `size` runners of a scenario without starting any. Running ones are killed when the scope closes. */
export const fleet = (
  options: { readonly size: number; readonly url: string; readonly scenario: string }
): Effect.Effect<Fleet, never, Scope.Scope> =>
  Effect.gen(function*() {
    const ports = yield* Effect.all(Array.from({ length: options.size }, () => freePort))
    const runners = new Map<number, Runner>()
    const died: Array<string> = []
    const logged = new Map<string, number>()

    const log = (text: string) => {
      for (const line of text.split("\n")) {
        // drops the timestamp and the fiber's id, in which equal messages differ
        const said = /(?:WARN|ERROR|FATAL) \(.*?\): (.*)/.exec(line)?.[1]
        if (said !== undefined) logged.set(said, (logged.get(said) ?? 0) + 1)
      }
    }

    const start = (nth: number) =>
      Effect.callback<Runner, Error>((resume) => {
        const order: Order = { url: options.url, port: ports[nth]!, scenario: options.scenario }
        const child = spawn(process.execPath, [script], {
          // the URL has a password, and other users of the machine can read arguments
          env: { ...process.env, RUNNER_ORDER: JSON.stringify(order), NO_COLOR: "1" },
          // a runner ends when its standard input closes, so it does not outlive a harness that was killed
          stdio: ["pipe", "pipe", "pipe"]
        })
        let said = ""
        let killed = false
        const gone = new Promise<void>((resolve) => child.once("close", () => resolve()))
        const runner: Runner = {
          pid: child.pid ?? 0,
          kill: (signal) =>
            Effect.promise(() => {
              killed = true
              child.kill(signal)
              return gone
            })
        }
        child.stdin.on("error", () => {})
        for (const output of [child.stdout, child.stderr]) {
          output.setEncoding("utf8").on("data", (chunk: string) => {
            said = (said + chunk).slice(-10_000)
            if (chunk.includes("joined")) resume(Effect.succeed(runner))
            log(chunk)
          })
        }
        child.once("error", (error) => resume(Effect.fail(error)))
        void gone.then(() => {
          if (runners.get(nth) === runner) runners.delete(nth)
          if (!killed) died.push(said)
          resume(Effect.fail(new Error(`a runner did not join:\n${said}`)))
        })
        runners.set(nth, runner)
      })

    yield* Effect.addFinalizer(() =>
      Effect.forEach([...runners.values()], (runner) => runner.kill("SIGKILL"), {
        concurrency: "unbounded",
        discard: true
      })
    )
    return {
      size: options.size,
      start,
      running: (nth) => runners.get(nth),
      died: () => died,
      logged: () => logged
    }
  })
