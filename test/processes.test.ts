/** Tests which processes are known to live, by the means of each platform that are there. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { test } from "node:test"
import { identityOn, lives } from "../src/internal/files/identity.ts"
import { systemOf } from "../src/internal/files/processes.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

/** Starts a process that waits, and whose own child has ended without being waited for. */
const waiting = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = spawn("sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] })
    const [text] = await once(child.stdout, "data")
    return { child, pid: child.pid!, zombie: Number(String(text)) }
  }),
  ({ child }) => Effect.promise(() => end(child))
)

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  child.kill("SIGKILL")
  await ended
}

/** Asks until the process has ended, as one that was told to may take a moment. */
const untilEnded = (platform: NodeJS.Platform, pid: number) =>
  Effect.repeat(Effect.sync(() => systemOf(platform).statusOf(pid)?.hasEnded !== false), { until: (ended) => ended })

const platforms: ReadonlyArray<NodeJS.Platform> = [
  ...(process.platform === "linux" ? ["linux" as const] : []),
  ...(existsSync("/bin/ps") ? ["darwin" as const, "freebsd" as const] : [])
]

for (const platform of platforms) {
  it.live(`with the means of ${platform}, a process lives until it has ended, and another one with its number is another`, () =>
    Effect.gen(function*() {
      const system = systemOf(platform)
      const own = identityOn(system)
      assert.notEqual(own.start, "")
      assert.equal(own.pid, process.pid)
      const { child, pid, zombie } = yield* waiting
      const other = { ...own, pid, start: system.statusOf(pid)!.start }
      assert.equal(lives(other, own, system), true)
      assert.equal(lives({ ...other, start: `${other.start}0` }, own, system), false)
      assert.equal(lives({ ...other, system: "elsewhere" }, own, system), undefined)
      yield* untilEnded(platform, zombie)
      const ended = systemOf(platform)
      assert.equal(lives({ ...own, pid: zombie, start: ended.statusOf(zombie)?.start ?? "?" }, own, ended), false)
      yield* Effect.promise(() => end(child))
      assert.equal(lives(other, own, systemOf(platform)), false)
      // this process, of whose threads the system says nothing
      assert.equal(lives(own, own, system), undefined)
    }))
}

it.live("on Windows, only a process that is gone is known to have ended", () =>
  Effect.gen(function*() {
    const system = systemOf("win32")
    const own = identityOn(system)
    assert.equal(own.start, "")
    const { child, pid } = yield* waiting
    assert.equal(lives({ ...own, pid }, own, system), undefined)
    yield* Effect.promise(() => end(child))
    assert.equal(lives({ ...own, pid }, own, system), false)
  }))
