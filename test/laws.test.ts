import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events, kinds, logs, noting, plain } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// laws of Hooks.merge and Hooks.mergeUnder
// -----------------------------------------------------------------------------

const Names = Schema.Array(Schema.Struct({ kind: Schema.Literals(kinds), name: Schema.NonEmptyString })).check(
  Schema.isMaxLength(8)
)
const Three = Schema.Struct({ a: Names, b: Names, c: Names })

const collect = (names: (typeof Names)["Type"]) =>
  Hooks.make(...names.map(({ kind, name }) => noting(calls(), kind, name)))

/** Asserts that two collections hold the very same hooks, by identity, in the same order. */
const assertSame = (
  a: Hooks.Hooks<never, never, unknown, unknown, unknown>,
  b: Hooks.Hooks<never, never, unknown, unknown, unknown>
) => {
  for (const kind of kinds) {
    assert.equal(a.hooks[kind].length, b.hooks[kind].length)
    a.hooks[kind].forEach((hook, i) => assert.ok(hook === b.hooks[kind][i]))
  }
}

it.effect("Hooks.merge is associative, has Hooks.empty as its unit, and keeps every hook in order", () =>
  forAll(Three, (three) =>
    Effect.sync(() => {
      const [a, b, c] = [collect(three.a), collect(three.b), collect(three.c)]
      assertSame(Hooks.merge(Hooks.merge(a, b), c), Hooks.merge(a, Hooks.merge(b, c)))
      assertSame(Hooks.merge(a, Hooks.empty), a)
      assertSame(Hooks.merge(Hooks.empty, a), a)
      assertSame(Hooks.make(a, b, c), Hooks.merge(a, Hooks.merge(b, c)))
      assertSame(a.pipe(Hooks.merge(b)), Hooks.merge(a, b))
      for (const kind of kinds) {
        assert.deepEqual(
          Hooks.merge(a, b).hooks[kind].map(({ name }) => name),
          [...three.a, ...three.b].filter((hook) => hook.kind === kind).map(({ name }) => name)
        )
      }
    })))

it.effect("Hooks.mergeUnder decides per kind, is idempotent and associative, and has Hooks.empty as its unit", () =>
  forAll(Three, (three) =>
    Effect.sync(() => {
      const [a, b, c] = [collect(three.a), collect(three.b), collect(three.c)]
      const once = Hooks.mergeUnder(a, b)
      for (const kind of kinds) {
        const chosen = a.hooks[kind].length > 0 ? a.hooks[kind] : b.hooks[kind]
        assert.ok(once.hooks[kind].length === chosen.length && once.hooks[kind].every((hook, i) => hook === chosen[i]))
      }
      assertSame(Hooks.mergeUnder(once, b), once)
      assertSame(Hooks.mergeUnder(a, once), once)
      assertSame(Hooks.mergeUnder(a, a), a)
      assertSame(Hooks.mergeUnder(a, Hooks.mergeUnder(b, c)), Hooks.mergeUnder(once, c))
      assertSame(Hooks.mergeUnder(a, Hooks.empty), a)
      assertSame(Hooks.mergeUnder(Hooks.empty, a), a)
      assertSame(a.pipe(Hooks.mergeUnder(b)), once)
    })))

const Conditions = Schema.Literals(["none", "holds", "does not hold", "holds later", "does not hold later", "fails"])
const Conditional = Schema.Array(
  Schema.Struct({ kind: Schema.Literals(kinds), condition: Conditions, background: Schema.Boolean })
).check(Schema.isMaxLength(5))
const ThreeConditional = Schema.Struct({ a: Conditional, b: Conditional, c: Conditional })

const predicates: Record<(typeof Conditions)["Type"], () => boolean | Effect.Effect<boolean, string>> = {
  none: () => true,
  holds: () => true,
  "does not hold": () => false,
  "holds later": () => Effect.as(Effect.yieldNow, true),
  "does not hold later": () => Effect.as(Effect.yieldNow, false),
  fails: () => Effect.fail("predicate")
}

const happens: ReadonlyArray<Hook.Kind> = ["start", "retry", "overdue", "failure", "exit"]

/** Evaluates a step that is retried once and fails, and returns the calls of its hooks by kind. */
const hooksRun = (
  seen: ReturnType<typeof calls>,
  own: Hooks.Hooks<unknown, unknown, never>,
  inherited: Hooks.Hooks<unknown, unknown, never>
) =>
  Effect.gen(function*() {
    seen.list.length = 0
    const step = Step.make("s", Effect.fail("no")).pipe(Step.retry({ times: 1 }), Step.overdue(0), Step.hooks(own))
    yield* Effect.exit(Pipeline.make("p", step).pipe(Pipeline.stepHooks(inherited), Effect.provide(logs().layer)))
    return kinds.map((kind) => seen.list.filter((call) => call.startsWith(kind)).toSorted())
  })

it.effect("override by applicability is per kind, idempotent and associative, and the same in a step and a collection", () =>
  forAll(ThreeConditional, (three) =>
    Effect.gen(function*() {
      const seen = calls()
      const hooksOf = (of: (typeof Conditional)["Type"], name: string) =>
        Hooks.make(...of.map(({ background, condition, kind }, i) => {
          const plain = noting(seen, kind, `${kind} ${name} ${i}`)
          const hook = condition === "none" ? plain : Hook.when(plain, predicates[condition])
          return background ? Hook.background(hook) : hook
        }))
      const [a, b, c] = [hooksOf(three.a, "a"), hooksOf(three.b, "b"), hooksOf(three.c, "c")]
      const applying = (of: (typeof Conditional)["Type"], name: string, kind: Hook.Kind) =>
        of.flatMap(({ condition, ...hook }, i) =>
          hook.kind === kind && ["none", "holds", "holds later"].includes(condition) ? [`${kind} ${name} ${i}`] : []
        )
      const expected = kinds.map((kind) => {
        if (!happens.includes(kind)) return []
        const own = applying(three.a, "a", kind)
        // the retry hooks run once
        return (own.length > 0 ? own : applying(three.b, "b", kind)).toSorted()
      })
      const run = (own: Hooks.Hooks<unknown, unknown, never>, inherited: Hooks.Hooks<unknown, unknown, never>) =>
        hooksRun(seen, own, inherited)
      assert.deepEqual(yield* run(a, b), expected)
      const once = Hooks.mergeUnder(a, b)
      assert.deepEqual(yield* run(once, Hooks.empty), expected)
      assert.deepEqual(yield* run(Hooks.empty, once), expected)
      assert.deepEqual(yield* run(once, b), expected)
      assert.deepEqual(yield* run(a, once), expected)
      assert.deepEqual(yield* run(a, a), yield* run(a, Hooks.empty))
      assert.deepEqual(yield* run(a, Hooks.mergeUnder(b, c)), yield* run(once, c))
    })))

// -----------------------------------------------------------------------------
// laws of evaluations
// -----------------------------------------------------------------------------

const Op = Schema.Literals(["sync", "sleep", "yield"])
const End = Schema.Literals([
  "succeed",
  "fail",
  "die",
  "throw",
  "interrupt",
  "skip",
  "fail and interrupt",
  "skip and interrupt",
  "hang"
])

const Story = Schema.Struct({
  attempts: Schema.Array(Schema.Struct({ ops: Schema.Array(Op).check(Schema.isMaxLength(3)), end: End })).check(
    Schema.isMaxLength(4)
  ),
  retries: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
  spaced: Schema.Boolean,
  /** When the fiber is interrupted, in milliseconds; above 4,000 it is not. */
  interruptedAt: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6_000 })),
  /** How long an overdue hook takes, in milliseconds. */
  overdueFor: Schema.Literals([0, 250, 900, 40_000]),
  hooks: Schema.Array(Schema.Struct({
    kind: Schema.Literals(kinds),
    does: Schema.Literals(["end", "sleep", "fail", "die", "throw", "interrupt", "hang", "hang uninterruptibly"]),
    background: Schema.Boolean,
    limit: Schema.Literals([0, 10, 1_000])
  })).check(Schema.isMaxLength(5))
})

type Story = (typeof Story)["Type"]

const ops = {
  sync: Effect.void,
  sleep: Effect.sleep("1 second"),
  yield: Effect.yieldNow
}

const skip = new Step.StepSkipped({ reason: "no rows" })

const ends: Readonly<Record<(typeof End)["Type"], Effect.Effect<string, string | Step.StepSkipped>>> = {
  succeed: Effect.succeed("done"),
  fail: Effect.fail("no"),
  die: Effect.die("boom"),
  throw: Effect.suspend(() => {
    throw "thrown"
  }),
  interrupt: Effect.interrupt,
  skip: Effect.fail(skip),
  "fail and interrupt": Effect.failCause(Cause.combine(Cause.fail("no"), Cause.interrupt())),
  "skip and interrupt": Effect.failCause(Cause.combine(Cause.fail(skip), Cause.interrupt())),
  hang: Effect.never
}

const reactions: Readonly<Record<Story["hooks"][number]["does"], Effect.Effect<unknown, unknown>>> = {
  end: Effect.void,
  sleep: Effect.sleep("100 millis"),
  fail: Effect.fail("hook"),
  die: Effect.die("hook"),
  throw: Effect.suspend(() => {
    throw new Error("hook")
  }),
  interrupt: Effect.interrupt,
  hang: Effect.never,
  "hang uninterruptibly": Effect.uninterruptible(Effect.never)
}

const bodyOf = (story: Story) => {
  let attempt = 0
  return Effect.suspend(() => {
    const now = story.attempts[attempt++] ?? { ops: [], end: "succeed" as const }
    return Effect.andThen(Effect.forEach(now.ops, (op) => ops[op], { discard: true }), ends[now.end])
  })
}

const policyOf = (story: Story) => ({
  times: story.retries,
  schedule: story.spaced ? Schedule.spaced("500 millis") : Schedule.forever
})

/** Advances the test clock until the fiber has ended, at most 20 times: a fiber that yields needs several. */
const settle = (fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.gen(function*() {
    for (let i = 0; i < 20 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust("1 minute")
  })

/** Runs an Effect to its end, interrupting its fiber when the story says so, and returns the exit. */
const play = (story: Story, effect: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    if (story.interruptedAt <= 4_000) {
      yield* TestClock.adjust(story.interruptedAt)
      yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    }
    yield* settle(fiber)
    // a body that hangs only ends by interruption
    yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    yield* settle(fiber)
    return yield* Fiber.await(fiber)
  })

it.effect("an evaluation has exactly one terminal event, however it succeeds, fails, dies, retries, is late, skipped or interrupted", () =>
  forAll(Story, (story) =>
    Effect.gen(function*() {
      const [seen, emitted] = [calls(), events()]
      for (const observed of [false, true]) {
        seen.list.length = 0
        let begun = 0
        const counted = Effect.andThen(Effect.sync(() => begun++), bodyOf(story))
        const step = Step.make("s", counted).pipe(
          Step.retry(policyOf(story)),
          Step.overdue("700 millis", { every: "10 minutes" }),
          Step.onOverdue("1500 millis", () => seen.note("overdue")),
          Step.hooks(Hooks.make(...kinds.map((kind) =>
            noting(seen, kind, kind, kind === "overdue" ? Effect.sleep(story.overdueFor) : Effect.void)
          )))
        )
        const exit = yield* play(story, observed ? Effect.provide(step, emitted.layer) : step)
        const expected = exit._tag === "Success"
          ? "success"
          : Cause.hasInterruptsOnly(exit.cause)
          ? "interrupt"
          : exit.cause.reasons.some((reason) =>
              reason._tag === "Fail" && reason.error === skip
            )
          ? "skip"
          : "failure"
        const retries = seen.list.filter((kind) => kind === "retry")
        const between = seen.list.filter((kind) => kind === "retry" || kind === "overdue")
        assert.deepEqual(seen.list, ["start", ...between, expected, "exit"])
        if (!observed) continue
        const ended = emitted.list.filter((event) => event._tag === "StepEnded" || event._tag === "StepSkipped")
        const outcomes = ended.map((event) => [event.attempts, event._tag === "StepSkipped" ? "skip" : event.outcome])
        assert.deepEqual(outcomes, [[Math.max(1, begun), expected]])
        assert.ok(begun === 0 || [begun, begun - 1].includes(retries.length))
        assert.equal(emitted.list.filter(({ _tag }) => _tag === "StepStarted").length, 1)
        assert.equal(emitted.list.filter(({ _tag }) => _tag === "AttemptFailed").length, retries.length)
        // the overdue hooks have ended before the step has, and each is told once
        const late = emitted.list.filter(({ _tag }) => _tag === "StepOverdue")
        assert.ok(late.length >= between.length - retries.length)
        const tags = emitted.list.map((event) => "kind" in event ? `${event._tag} ${event.kind}` : event._tag)
        assert.ok(tags.lastIndexOf("HookEnded overdue") < tags.indexOf(ended[0]!._tag))
        assert.equal(emitted.list.at(-1)!._tag, "RunEnded")
        if (ended[0]!._tag === "StepEnded") assert.deepEqual(plain(ended[0]!.exit), plain(exit))
      }
    }), 200))

it.effect("a step with any hooks has the exit of the same body without hooks", () =>
  forAll(Story, (story) =>
    Effect.gen(function*() {
      const seen = calls()
      const hooks = story.hooks.map(({ background, does, kind, limit }) => {
        const hook = Hook.timeout(noting(seen, kind, `${kind} ${does}`, reactions[does]), limit)
        return background ? Hook.background(hook) : hook
      })
      // start and retry hooks take time, so an interruption at a fixed time would hit different operations: leave it out
      const calm = { ...story, interruptedAt: 5_000 }
      const unlessSkipped = { ...policyOf(story), while: (error: unknown) => error !== skip }
      const bare = yield* play(calm, Effect.retry(bodyOf(story), unlessSkipped))
      const hooked = Step.make("s", bodyOf(story)).pipe(
        Step.retry(policyOf(story)),
        Step.overdue(500),
        Step.hooks(Hooks.make(...hooks))
      )
      const exit = yield* play(calm, Effect.provide(hooked, logs().layer))
      assert.deepEqual(plain(exit), plain(bare))
    }), 200))

it.effect("hooks delay an interruption no longer than the sum of their time limits and keep it an interruption", () =>
  forAll(Story, (story) =>
    Effect.gen(function*() {
      const hooks = story.hooks.filter(({ kind }) => kind !== "start" && kind !== "retry").map(
        ({ background, does, kind, limit }) => {
          const hook = Hook.timeout(noting(calls(), kind, kind, reactions[does]), limit)
          return background ? Hook.background(hook) : hook
        }
      )
      const hanging = Step.make("s", Effect.never).pipe(
        Step.overdue(0),
        Step.hooks(Hooks.make(...hooks)),
        Effect.provide(logs().layer)
      )
      const fiber = yield* Effect.forkChild(hanging, { startImmediately: true })
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust(hooks.length * 1_000)
      assert.ok(interruption.pollUnsafe() !== undefined)
      assert.deepEqual(plain(yield* Fiber.await(fiber)), ["interrupt"])
    })))
