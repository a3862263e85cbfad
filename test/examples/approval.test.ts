import { expect, test } from "bun:test"
import { Effect } from "effect"
import { program } from "../../examples/approval.ts"
import { Alerter } from "../../src/index.ts"
import { TestApprover } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { start } from "./support.ts"

const it = makeIt(test)

const answer = async (page: string, button: string): Promise<Response> => {
  const html = await (await fetch(page)).text()
  const name = new RegExp(`<button[^>]*>${button}`).exec(html)?.[0]
  expect(name).toBeDefined()
  const [, field, value] = /name="(\w+)" value="(\w+)"/.exec(name!)!
  const body = new URLSearchParams({ [field!]: value!, comment: "go on" })
  return fetch(page, { method: "POST", body, headers: { origin: new URL(page).origin } })
}

test.each(someRuntimes())("the script deploys once Deploy is pressed on its page, on %s", async (runtime) => {
  const { ended, said } = start(runtime, "approval")
  const [link] = await said(/http:\/\/127\.0\.0\.1:\d+\/\S+/)
  expect((await answer(link, "Deploy")).status).toBe(200)
  const { code, stderr, stdout } = await ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout).toContain("deploying v1.4.0")
  expect(stdout).toContain("release › deploy succeeded")
  expect(stdout).toMatch(/approved by +\S+/)
}, 60_000)

test("the script does not deploy if Not now is pressed", async () => {
  const { ended, said } = start("bun", "approval")
  const [link] = await said(/http:\/\/127\.0\.0\.1:\d+\/\S+/)
  await answer(link, "Not now")
  const { code, stdout } = await ended
  expect(code).toBe(1)
  expect(stdout).toContain("not deployed: step \"deploy\" was denied by")
  expect(stdout).toContain("go on")
  expect(stdout).not.toContain("deploying")
}, 60_000)

it.effect("another approver asks the same question", () =>
  Effect.gen(function*() {
    yield* program
    const [asked] = yield* TestApprover.asked
    expect(asked!.title).toBe("Deploy v1.4.0 to production?")
  }).pipe(Effect.provide([TestApprover.layerApproving(), Alerter.layerNone])))
