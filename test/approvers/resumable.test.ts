/** Custom approvers that are resumable. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Approver, Decision, type Question, type Resumable } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { calls, logs } from "../support/observe.ts"
import { badHandles } from "../support/resumableContract.ts"

const it = makeIt(test)

const at = DateTime.makeUnsafe(0)
const alice = { id: "U1", name: "Alice" }
const question: Question = { title: "Deploy?", timeout: "1 hour" }

/** A ticket system, which outlives each process. */
const tickets = () => {
  const { list, note } = calls()
  const closed = new Map<string, Decision>()
  const layer = () =>
    Approver.layerResumable({
      post: ({ title }) => Effect.as(note(`post ${title}`), "ticket 7"),
      listen: ({ title }, id) =>
        Effect.andThen(
          note(`listen ${title} ${id}`),
          Effect.suspend(() => {
            const decision = closed.get(id)
            return decision === undefined ? Effect.never : Effect.succeed(decision)
          })
        ),
      withdraw: ({ title }, id) => Effect.andThen(note(`withdraw ${title} ${id}`), Effect.fail("can't be told"))
    }, { channel: "tickets" })
  /** Runs with a new approver, as after a restart. */
  const inProcess = <A, E>(run: (resumable: Resumable) => Effect.Effect<A, E>) =>
    Effect.flatMap(Approver, ({ resumable }) => run(resumable!)).pipe(Effect.provide(layer()))
  return { list, layer, inProcess, close: (decision: Decision) => void closed.set("ticket 7", decision) }
}

it.effect("an approver that is a plain function is not resumable", () =>
  Effect.gen(function*() {
    assert.equal((yield* Approver).resumable, undefined)
  }).pipe(Effect.provide(Approver.layer(() => Effect.never))))

it.effect("a question is posted once, and any process can listen", () =>
  Effect.gen(function*() {
    const { close, inProcess, list } = tickets()
    const handle = yield* inProcess(({ post }) => post(question))
    assert.deepEqual(JSON.parse(handle), { approver: "tickets", message: "ticket 7", askedAt: 0, until: 3_600_000 })
    const stopped = yield* Effect.forkChild(inProcess(({ listen }) => listen(question, handle)))
    yield* TestClock.adjust("30 minutes")
    yield* Fiber.interrupt(stopped)
    close(Decision.Approved({ by: alice, at }))
    assert.equal((yield* inProcess(({ listen }) => listen(question, handle)))._tag, "Approved")
    assert.deepEqual(list, ["post Deploy?", "listen Deploy? ticket 7", "listen Deploy? ticket 7"])
  }))

it.effect("the timeout counts from the post", () =>
  Effect.gen(function*() {
    const { inProcess } = tickets()
    const handle = yield* inProcess(({ post }) => post(question))
    yield* TestClock.adjust("50 minutes")
    const fiber = yield* Effect.forkChild(
      inProcess(({ listen }) => listen({ ...question, timeout: "5 minutes" }, handle))
    )
    yield* TestClock.adjust("599 seconds")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(yield* Fiber.join(fiber), Decision.TimedOut({ at: DateTime.makeUnsafe(3_600_000) }))
  }))

it.effect("a process that listens after the timeout finds an answer that came in time, and does not wait", () =>
  Effect.gen(function*() {
    const late = (decision?: Decision) =>
      Effect.gen(function*() {
        const { close, inProcess } = tickets()
        const handle = yield* inProcess(({ post }) => post(question))
        yield* TestClock.adjust("2 hours")
        if (decision !== undefined) close(decision)
        const fiber = yield* Effect.forkChild(inProcess(({ listen }) => listen(question, handle)))
        yield* TestClock.adjust("10 seconds")
        return (yield* Fiber.join(fiber))._tag
      }).pipe(Effect.provide(TestClock.layer()))
    const after = (millis: number) => ({ by: alice, at: DateTime.makeUnsafe(millis) })
    assert.equal(yield* late(), "TimedOut")
    assert.equal(yield* late(Decision.Approved(after(3_600_000))), "Approved")
    assert.equal(yield* late(Decision.Approved(after(3_600_001))), "TimedOut")
    assert.equal(yield* late(Decision.Denied(after(3_600_001))), "Denied")
  }))

it.effect("ask uses the same functions, and withdraws the question when it is interrupted", () =>
  Effect.gen(function*() {
    const { close, layer, list } = tickets()
    const { layer: logger, list: logged } = logs()
    const ask = Effect.provide(Approver.ask(question), layer())
    const fiber = yield* Effect.forkChild(Effect.provide(ask, logger))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(list, ["post Deploy?", "listen Deploy? ticket 7", "withdraw Deploy? ticket 7"])
    assert.deepEqual(logged.map(({ level }) => level), ["Warn"])
    close(Decision.Denied({ by: alice, at }))
    assert.equal((yield* ask)._tag, "Denied")
    assert.equal(list.length, 5)
    const { reason } = yield* Effect.flip(
      Effect.provide(Approver.ask({ ...question, approvers: ["U2"] }), Layer.merge(layer(), logger))
    )
    assert.equal(reason._tag, "InvalidAlert")
    assert.equal(list.at(-1), "withdraw Deploy? ticket 7")
  }))

it.effect("defects become errors of the approver, and so does an invalid handle", () =>
  Effect.gen(function*() {
    const broken = Approver.layerResumable({
      post: () => Effect.die(new Error("at https://hooks.example.com/s3cret")),
      listen: () => Effect.fail("closed"),
      withdraw: () => Effect.die("asked")
    }, { channel: "tickets" })
    const { inProcess } = tickets()
    const handle = yield* inProcess(({ post }) => post(question))
    const { resumable } = yield* Effect.provide(Approver, broken)
    const posted = yield* Effect.flip(resumable!.post(question))
    assert.equal(posted.message, "tickets: the alert was rejected: at <url>")
    const listened = yield* Effect.flip(resumable!.listen(question, handle))
    assert.equal(listened.message, "tickets: the alert was rejected: closed")
    for (const bad of badHandles(handle)) {
      assert.equal((yield* Effect.flip(resumable!.listen(question, bad))).reason._tag, "InvalidAlert", bad)
      assert.equal((yield* Effect.flip(resumable!.withdraw(question, bad))).reason._tag, "InvalidAlert", bad)
    }
  }))

it.effect("its functions run with the services of the layer", () =>
  Effect.gen(function*() {
    class Board extends Context.Service<Board, { readonly id: string }>()("Board") {}
    const layer: Layer.Layer<Approver, never, Board> = Approver.layerResumable({
      post: () => Effect.map(Board, ({ id }) => id),
      listen: (_, id) => Effect.map(Board, (board) => Decision.Denied({ by: alice, at, comment: `${id} ${board.id}` })),
      withdraw: () => Effect.asVoid(Board)
    })
    const on = (id: string) => Layer.provide(layer, Layer.succeed(Board, { id }))
    const handle = yield* Effect.provide(
      Effect.flatMap(Approver, ({ resumable }) => resumable!.post(question)),
      on("a")
    )
    const decision = yield* Effect.provide(
      Effect.flatMap(Approver, ({ resumable }) => resumable!.listen(question, handle)),
      on("b")
    )
    assert.ok(decision._tag === "Denied" && decision.comment === "a b")
  }))
