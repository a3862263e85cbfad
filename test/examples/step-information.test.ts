import { expect, test } from "bun:test"
import { Effect } from "effect"
import { program } from "../../examples/step-information.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { run } from "./support.ts"

const it = makeIt(test)

it.effect("the step fails with its error after the hook has run", () =>
  Effect.gen(function*() {
    expect(yield* Effect.flip(program)).toMatchObject({ _tag: "Diverged", epoch: 2, loss: Infinity })
  }))

test.each(someRuntimes())(
  "the hook logs the step, its parameters without secrets, and the error, on %s",
  async (runtime) => {
    const { code, stderr, stdout } = await run(runtime, "step-information")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toContain("train failed")
    expect(stdout).toMatch(/epochs: 3,\s+learningRate: 0\.8,\s+token: ['"]<redacted>['"]/)
    expect(stdout).toContain("Diverged: loss Infinity in epoch 2; try a learning rate of 0.08")
    expect(stdout).not.toContain("s3cret")
  },
  60_000
)
