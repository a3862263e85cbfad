/** Durable pipelines are like those in memory: the same story, told by both. */

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
import { Bad, type Engine, job, park, type Services, suiteOf, type Watch, watch, within } from "../support/engine.ts"

const End = Schema.Literals(["succeed", "fail", "die", "throw", "interrupt"])

const HookStory = Schema.Struct({
  kind: Schema.Literals(kinds),
  does: Schema.Literals(["end", "sleep", "fail", "die", "throw", "interrupt", "hang"]),
  sort: Schema.Literals(["plain", "plain", "background", "required"])
})

const StepStory = Schema.Struct({
  attempts: Schema.Array(End).check(Schema.isMaxLength(3)),
  retries: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
  hooks: Schema.Array(HookStory).check(Schema.isMaxLength(4)),
  inherit: Schema.Literals(["override", "append", "prepend", "off"]),
  /** What comes of it is no concern of the next. */
  caught: Schema.Boolean
})

export const Story = Schema.Struct({
  steps: Schema.Array(StepStory).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  stepHooks: Schema.Array(HookStory).check(Schema.isMaxLength(3)),
  runHooks: Schema.Array(HookStory).check(Schema.isMaxLength(3))
})

export type Story = typeof Story.Type
type HookStory = typeof HookStory.Type

const ends: Readonly<Record<typeof End.Type, Effect.Effect<number, Bad>>> = {
  succeed: Effect.succeed(1),
  fail: Effect.fail(new Bad({ n: 1 })),
  die: Effect.die(new Error("boom")),
  throw: Effect.suspend(() => {
    throw new Error("thrown")
  }),
  interrupt: Effect.interrupt
}

const reactions: Readonly<Record<HookStory["does"], Effect.Effect<unknown, unknown>>> = {
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

/** A hook that notes what it reacts to. */
const hookOf = (seen: Watch, { does, kind, sort }: HookStory, name: string): Hook.Hook<unknown, unknown, never> => {
  const react = (what: string) => Effect.andThen(seen.note(`${name} ${what}`), reactions[does])
  const make = (): Hook.Hook<unknown, unknown, never> => {
    switch (kind) {
      case "start":
        return Hook.onStart(Effect.suspend(() => react("start")))
      case "retry":
        return Hook.onRetry(({ attempt, cause }) => react(`retry ${attempt} ${shortOf(Exit.failCause(cause))}`))
      case "success":
        return Hook.onSuccess((value) => react(`success ${String(value)}`))
      case "failure":
        return Hook.onFailure((cause) => react(`failure ${shortOf(Exit.failCause(cause))}`))
      case "interrupt":
        return Hook.onInterrupt(() => react("interrupt"))
      case "exit":
        return Hook.onExit((exit) => react(`exit ${shortOf(exit)}`))
    }
  }
  const hook = make().pipe(Hook.named(name), Hook.timeout(15))
  return sort === "background" ? Hook.background(hook) : hook
}

/** What a cause says, without what can't be kept: fibers, stacks. */
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

const collect = (seen: Watch, hooks: ReadonlyArray<HookStory>, of: string) =>
  hooks.map((hook, i) => {
    const made = hookOf(seen, hook, `${of}.${i}`)
    // its type says that the step may fail with it, which is one of the library's errors
    return hook.sort === "required" ? Hook.required(made) as Hook.Hook<unknown, unknown, never> : made
  })

const stepsOf = (seen: Watch, { steps }: Story) =>
  steps.map((story, i) => {
    let attempt = 0
    const body = Effect.suspend(() => {
      const end = story.attempts[attempt++] ?? "succeed"
      return Effect.andThen(seen.note(`step${i} body ${end}`), ends[end])
    })
    return Step.make(`step${i}`, body).pipe(
      Step.retry({ times: story.retries }),
      Step.hooks(Hooks.make(...collect(seen, story.hooks, `step${i}`))),
      Step.inherit(story.inherit)
    )
  })

/** The steps one after another, with something between them. */
const inTurn = <R, R2>(
  story: Story,
  steps: ReadonlyArray<Effect.Effect<number, Bad | Durable.LibraryError, R>>,
  between: (i: number) => Effect.Effect<void, never, R2>
) =>
  Effect.gen(function*() {
    const results: Array<string> = []
    for (const [i, step] of steps.entries()) {
      const exit = yield* Effect.exit(step)
      results.push(shortOf(exit))
      if (Exit.isFailure(exit) && !story.steps[i]!.caught) return yield* exit
      yield* between(i)
    }
    return results.join(", ")
  })

const runOf = <E, R>(seen: Watch, { runHooks, stepHooks }: Story, body: Effect.Effect<unknown, E, R>) => {
  const lifecycle = runHooks.filter(({ kind }) => kind !== "retry")
  return Pipeline.make("job", body).pipe(
    Pipeline.stepHooks(Hooks.make(...collect(seen, stepHooks, "pipeline"))),
    Pipeline.hooks(Hooks.make(...collect(seen, lifecycle, "run")))
  )
}

/** Background hooks run when they do, so they are told of apart from the others. */
const told = (story: Story, { list, told: { list: events } }: Watch) => {
  const ofBackground = (call: string): boolean => {
    const [, of = "", index = ""] = /^(\w+)\.(\d+) /.exec(call) ?? []
    const hooks = of === "run" ? story.runHooks.filter(({ kind }) => kind !== "retry") : of === "pipeline"
      ? story.stepHooks
      : story.steps[Number(of.slice(4))]?.hooks
    return hooks?.[Number(index)]?.sort === "background"
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

/** A workflow leaves out interruptions where there is something else to tell. */
const asTold = (exit: Exit.Exit<unknown, unknown>): string => shortOf(exit).replace(/interrupt \+ /g, "")

export const likeSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("whatever steps and hooks do, it is told as in memory", (place) =>
    forAll(Story, (story) =>
      Effect.gen(function*() {
        const [here, there, parking] = [watch(), watch(), watch()]
        const inMemory = runOf(here, story, inTurn(story, stepsOf(here, story), () => Effect.void))
        const exit = yield* Effect.exit(Effect.provide(inMemory, here.layer))
        const durably = (seen: Watch, between: Parameters<typeof inTurn<never, Services | WorkflowInstance>>[2]) => {
          const steps = stepsOf(seen, story).map(Durable.step({ success: Schema.Number, error: Bad }))
          const { layer, workflow } = job(() => runOf(seen, story, inTurn(story, steps, between)))
          return within(place, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id: String(id++) })))
        }
        assert.deepEqual(asTold(yield* durably(there, () => Effect.void)), asTold(exit))
        assert.deepEqual(told(story, there), told(story, here))
        assert.deepEqual(asTold(yield* durably(parking, (i) => park(`p${i}`))), asTold(exit))
        assert.deepEqual(told(story, parking), told(story, here))
      }), engine.runs))
}

let id = 0
