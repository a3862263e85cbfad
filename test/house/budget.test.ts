/** What a step allocates, against `bench/budget.json`. */
import { expect, test } from "bun:test"
import budget from "../../bench/budget.json" with { type: "json" }
import manifest from "../../package.json" with { type: "json" }

const root = `${import.meta.dir}/../..`

interface Allocated {
  readonly objects: number
  readonly bytes: number
}

test("a step allocates no more objects and bytes than the budget allows", async () => {
  const [, ...args] = manifest.scripts["bench:allocations"].split(" ")
  const child = Bun.spawn([`${root}/node_modules/.bin/node`, ...args], { cwd: root, stdout: "pipe", stderr: "pipe" })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect(`${await child.exited} ${err}`).toStartWith("0 ")
  const measured: Readonly<Record<string, Allocated>> = JSON.parse(out)
  expect(Object.keys(measured)).toEqual(Object.keys(budget))
  const above = Object.entries(budget).flatMap(([name, most]) => {
    const { bytes, objects } = measured[name]!
    return objects <= most.objects && bytes <= most.bytes
      ? []
      : [`${name}: ${objects} objects of ${most.objects}, ${bytes} bytes of ${most.bytes}`]
  })
  expect(above, "`npm run bench:allocations NAME` shows where they are made").toEqual([])
}, 60_000)
