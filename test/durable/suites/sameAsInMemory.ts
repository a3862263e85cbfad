/** Durable pipelines behave as those in memory: generated scenarios cause the same calls and events in both. */

import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { brief, kinds } from "../../support/observe.ts"
import { forAll } from "../../support/property.ts"
import {
  Bad,
  type Engine,
  inProcess,
  job,
  type Recorder,
  recorder,
  type Services,
  suiteOf,
  suspendRun
} from "../support/engine.ts"

const End = Schema.Literals(["succeed", "fail", "die", "throw", "interrupt", "skip"])

/** A rollback hook is neither required nor in the background, and a run has none. */
const HookScenario = Schema.Struct({
  kind: Schema.Literals([...kinds, "rollback", "rollback"]),
  does: Schema.Literals(["end", "sleep", "fail", "die", "throw", "interrupt", "hang"]),
  sort: Schema.Literals(["plain", "plain", "background", "required"])
})

const StepScenario = Schema.Struct({
  attempts: Schema.Array(End).check(Schema.isMaxLength(3)),
  retries: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
  hooks: Schema.Array(HookScenario).check(Schema.isMaxLength(4)),
  inherit: Schema.Literals(["override", "append", "prepend", "off"]),
  /** Whether the body catches its failure, so that the next step runs. */
  caught: Schema.Boolean
})

export const Scenario = Schema.Struct({
  steps: Schema.Array(StepScenario).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  stepHooks: Schema.Array(HookScenario).check(Schema.isMaxLength(3)),
  runHooks: Schema.Array(HookScenario).check(Schema.isMaxLength(3))
})

export type Scenario = typeof Scenario.Type
type HookScenario = typeof HookScenario.Type

const ends: Readonly<Record<typeof End.Type, Effect.Effect<number, Bad | Step.StepSkipped>>> = {
  succeed: Effect.succeed(1),
  fail: Effect.fail(new Bad({ n: 1 })),
  die: Effect.die(new Error("boom")),
  throw: Effect.suspend(() => {
    throw new Error("thrown")
  }),
  interrupt: Effect.interrupt,
  skip: Step.skip("no rows")
}

const reactions: Readonly<Record<HookScenario["does"], Effect.Effect<unknown, unknown>>> = {
  end: Effect.void,
  sleep: Effect.sleep(2),
  fail: Effect.fail("hook"),
  die: Effect.die("hook"),
  throw: Effect.suspend(() => {
    throw new Error("hook")
  }),
  interrupt: Effect.interrupt,
  hang: Effect.never
}

/** Makes a hook that notes the exit or attempt that it gets. */
const hookOf = (
  seen: Recorder,
  { does, kind, sort }: HookScenario,
  name: string
): Hook.Hook<unknown, unknown, never> => {
  const react = (occasion: string) => Effect.andThen(seen.note(`${name} ${occasion}`), reactions[does])
  const make = (): Hook.Hook<unknown, unknown, never> => {
    switch (kind) {
      case "start":
        return Hook.onStart(Effect.suspend(() => react("start")))
      case "retry":
        return Hook.onRetry(({ attempt, cause }) => react(`retry ${attempt} ${shortOf(Exit.failCause(cause))}`))
      case "overdue":
        return Hook.onOverdue(() => react("overdue"))
      case "success":
        return Hook.onSuccess((value) => react(`success ${String(value)}`))
      case "failure":
        return Hook.onFailure((cause) => react(`failure ${shortOf(Exit.failCause(cause))}`))
      case "interrupt":
        return Hook.onInterrupt(() => react("interrupt"))
      case "skip":
        return Hook.onSkip(({ reason }) => react(`skip ${reason}`))
      case "exit":
        return Hook.onExit((exit) => react(`exit ${shortOf(exit)}`))
      case "rollback":
        return Hook.onRollback((value, cause) => react(`rollback ${String(value)} ${shortOf(Exit.failCause(cause))}`))
    }
  }
  // a hook that sleeps for 2 ms ends within it on a busy machine, too
  const hook = make().pipe(Hook.named(name), Hook.timeout(400))
  return sort === "background" && kind !== "rollback" ? Hook.background(hook) : hook
}

/** Describes an exit without what differs between runs, such as fibers and stacks. */
export const shortOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit)
    ? `ok ${String(exit.value)}`
    : exit.cause.reasons.map((reason) =>
      reason._tag === "Fail"
        ? `fail ${(reason.error as { readonly _tag: string })._tag}`
        : reason._tag === "Die"
        ? `die ${reason.defect instanceof Error ? reason.defect.message : String(reason.defect)}`
        : "interrupt"
    ).join(" + ")

const collect = (seen: Recorder, hooks: ReadonlyArray<HookScenario>, of: string) =>
  hooks.map((hook, i) => {
    const made = hookOf(seen, hook, `${of}.${i}`)
    // the cast: drops the hook's error type, a `HookError`, which `Durable.step` stores without a schema
    return hook.sort === "required" && hook.kind !== "rollback"
      ? Hook.required(made) as Hook.Hook<unknown, unknown, never>
      : made
  })

const stepsOf = (seen: Recorder, { steps }: Scenario) =>
  steps.map((scenario, i) => {
    let attempt = 0
    const body = Effect.suspend(() => {
      const end = scenario.attempts[attempt++] ?? "succeed"
      return Effect.andThen(seen.note(`step${i} body ${end}`), ends[end])
    })
    return Step.make(`step${i}`, body).pipe(
      Step.retry({ times: scenario.retries }),
      Step.hooks(Hooks.make(...collect(seen, scenario.hooks, `step${i}`))),
      Step.inherit(scenario.inherit)
    )
  })

/** Runs the steps one after another, and `between` after each. */
const inTurn = <R, R2>(
  scenario: Scenario,
  steps: ReadonlyArray<Effect.Effect<number, Bad | Durable.LibraryError, R>>,
  between: (i: number) => Effect.Effect<void, never, R2>
) =>
  Effect.gen(function*() {
    const results: Array<string> = []
    for (const [i, step] of steps.entries()) {
      const exit = yield* Effect.exit(step)
      results.push(shortOf(exit))
      if (Exit.isFailure(exit) && !scenario.steps[i]!.caught) return yield* exit
      yield* between(i)
    }
    return results.join(", ")
  })

const isOfRun = ({ kind }: HookScenario): boolean => kind !== "retry" && kind !== "rollback"

const runOf = <E, R>(seen: Recorder, { runHooks, stepHooks }: Scenario, body: Effect.Effect<unknown, E, R>) => {
  const lifecycle = runHooks.filter(isOfRun)
  return Pipeline.make("job", body).pipe(
    Pipeline.stepHooks(Hooks.make(...collect(seen, stepHooks, "pipeline"))),
    Pipeline.hooks(Hooks.make(...collect(seen, lifecycle, "run")))
  )
}

/** Lists calls and events, those of background hooks apart, since their order varies. */
const observed = (scenario: Scenario, { list, events: { list: events } }: Recorder) => {
  const ofBackground = (call: string): boolean => {
    const [, of = "", index = ""] = /^(\w+)\.(\d+) /.exec(call) ?? []
    const hooks = of === "run" ? scenario.runHooks.filter(isOfRun) : of === "pipeline"
      ? scenario.stepHooks
      : scenario.steps[Number(of.slice(4))]?.hooks
    const hook = hooks?.[Number(index)]
    return hook?.sort === "background" && hook.kind !== "rollback"
  }
  const lines = (all: ReadonlyArray<string>, background: (line: string) => boolean) => ({
    inTurn: all.filter((line) => !background(line)),
    background: all.filter(background).toSorted()
  })
  return {
    notes: lines(list, ofBackground),
    events: lines(events.map(brief), (line) => {
      const hook = /^Hook\w+ (.+)$/.exec(line)?.[1]
      return hook !== undefined && ofBackground(`${hook} `)
    })
  }
}

/** Describes an exit as a workflow does, which drops interruptions from a cause with other reasons. */
const workflowExit = (exit: Exit.Exit<unknown, unknown>): string => shortOf(exit).replace(/interrupt \+ /g, "")

export const sameAsInMemorySuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a run that dies, and whose required hook fails, keeps both defects in its exit", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("dies", ends.die).pipe(
        Step.hooks(Hook.onFailure(() => Effect.fail("no audit log")).pipe(Hook.required)),
        Durable.step({ success: Schema.Number, error: Bad })
      )
      const { layer, workflow } = job(() => step)
      const run = Effect.exit(workflow.execute({ id: String(id++) }))
      const exit = yield* inProcess(storage, Layer.provide(layer, seen.layer), run)
      assert.equal(shortOf(exit), "die boom + die required hook \"onFailure\" (failure) of \"dies\" failed")
    }))

  test("generated steps and hooks cause the same calls, events and exit as in memory", (storage) =>
    forAll(Scenario, (scenario) =>
      Effect.gen(function*() {
        const [inMemory, durable, suspending] = [recorder(), recorder(), recorder()]
        const pipeline = runOf(inMemory, scenario, inTurn(scenario, stepsOf(inMemory, scenario), () => Effect.void))
        const exit = yield* Effect.exit(Effect.provide(pipeline, inMemory.layer))
        const durably = (seen: Recorder, between: Parameters<typeof inTurn<never, Services | WorkflowInstance>>[2]) => {
          const steps = stepsOf(seen, scenario).map(Durable.step({ success: Schema.Number, error: Bad }))
          const { layer, workflow } = job(() => runOf(seen, scenario, inTurn(scenario, steps, between)))
          return inProcess(
            storage,
            Layer.provide(layer, seen.layer),
            Effect.exit(workflow.execute({ id: String(id++) }))
          )
        }
        assert.deepEqual(workflowExit(yield* durably(durable, () => Effect.void)), workflowExit(exit))
        assert.deepEqual(observed(scenario, durable), observed(scenario, inMemory))
        assert.deepEqual(workflowExit(yield* durably(suspending, (i) => suspendRun(`p${i}`))), workflowExit(exit))
        assert.deepEqual(observed(scenario, suspending), observed(scenario, inMemory))
      }), engine.runs))
}

let id = 0
