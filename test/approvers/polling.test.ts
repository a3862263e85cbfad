/** Approvers that poll for answers, on the test clock. */
import { Cause, DateTime, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterErrorReason } from "../../src/Alerter.ts"
import type { ApproverOptions } from "../../src/approvers/index.ts"
import { type Asked, layer } from "../../src/approvers/internal/polling.ts"
import { AlerterError, Approver, Decision, type Question } from "../../src/index.ts"
import type { Vote } from "../../src/internal/approvals/question.ts"
import { makeIt } from "../support/it.ts"
import { calls, logs } from "../support/observe.ts"

const it = makeIt(test)

const ada = { id: "1", name: "Ada" }
const eve = { id: "2", name: "Eve" }
const deploy: Question = { title: "Deploy?", timeout: "1 minute" }
const at = (seconds: number) => DateTime.makeUnsafe(seconds * 1000)
const failing = (reason: AlerterErrorReason) => Effect.fail(new AlerterError({ channel: "fake", reason }))

/** A channel whose polls return these votes in turn, and then the last ones again. */
const channel = (
  looks: ReadonlyArray<Effect.Effect<ReadonlyArray<Vote>, AlerterError>>,
  more: Partial<Asked> = {},
  options: ApproverOptions = {}
) => {
  const seen = calls()
  let look = 0
  const note = (what: string) =>
    Effect.flatMap(DateTime.now, (time) => seen.note(`${DateTime.toEpochMillis(time) / 1000}s ${what}`))
  const questions: Array<Question> = []
  const made = layer("fake", options, { interval: 0 }, () => ({
    secrets: ["s3cr3t-token"],
    make: () =>
      Effect.succeed({
        read: () => "there",
        post: (question) => Effect.sync(() => (questions.push(question), "there")),
        open: (): Asked => ({
          poll: (remaining) =>
            Effect.andThen(
              note(`poll, ${Duration.toSeconds(remaining)}s left`),
              Effect.suspend(() => looks[Math.min(look++, looks.length - 1)]!)
            ),
          settle: (decision) => note(decision?._tag ?? "Withdrawn"),
          ...more
        })
      })
  }))
  return { list: seen.list, layer: made, questions, note }
}

/** Asks a question on a clock of its own, which moves until there is a decision. */
const decide = (
  fake: ReturnType<typeof channel>,
  question: Question = deploy,
  time: Duration.Input = "10 minutes"
) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.provide(Approver.ask(question), fake.layer))
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestClock.layer()))

const silence = Effect.succeed([])

it.effect("polls every two seconds, and once more at the timeout", () =>
  Effect.gen(function*() {
    const fake = channel([silence])
    const decision = yield* decide(fake, { ...deploy, timeout: "5 seconds" })
    assert.deepEqual(decision, Decision.TimedOut({ at: at(5) }))
    assert.deepEqual(fake.list, [
      "0s poll, 5s left",
      "2s poll, 3s left",
      "4s poll, 1s left",
      "5s poll, 0s left",
      "5s TimedOut"
    ])
  }))

it.effect("interval sets how often it polls", () =>
  Effect.gen(function*() {
    const fake = channel(
      [silence, silence, Effect.succeed([{ answer: "deny", by: eve, comment: "not on Friday" }])],
      {},
      {
        interval: "20 seconds"
      }
    )
    assert.deepEqual(yield* decide(fake), Decision.Denied({ by: eve, at: at(40), comment: "not on Friday" }))
    assert.deepEqual(fake.list, ["0s poll, 60s left", "20s poll, 40s left", "40s poll, 20s left", "40s Denied"])
  }))

it.effect("an answer that is given during the last poll before the timeout counts", () =>
  Effect.gen(function*() {
    const slow = Effect.delay(silence, "3 seconds")
    const fake = channel([slow, Effect.succeed([{ answer: "approve", by: ada }])])
    const decision = yield* decide(fake, { ...deploy, timeout: "1 second" })
    assert.deepEqual(decision, Decision.Approved({ by: ada, at: at(3), comment: undefined }))
  }))

it.effect("a poll that lasts long after the timeout is interrupted, and its answers do not count", () =>
  Effect.gen(function*() {
    const tooLate = Effect.delay(Effect.succeed([{ answer: "approve", by: ada } as const]), "14 seconds")
    for (const timeout of ["5 seconds", "1 millis"] as const) {
      const fake = channel([silence, tooLate])
      const error = yield* Effect.flip(decide(fake, { ...deploy, timeout }))
      assert.equal(error.reason._tag, "TimedOut")
      assert.equal(fake.list.at(-1)?.split(" ").at(-1), "Withdrawn")
    }
  }))

it.effect("a process that slept at the timeout accepts no approval that may have come after it", () =>
  Effect.gen(function*() {
    const votes: ReadonlyArray<[Vote, number, string]> = [
      [{ answer: "approve", by: ada }, 9, "Approved"],
      [{ answer: "approve", by: ada }, 11, "TimedOut"],
      [{ answer: "approve", by: ada, at: at(60) }, 11, "Approved"],
      [{ answer: "approve", by: ada, at: at(71) }, 11, "TimedOut"],
      [{ answer: "deny", by: eve }, 11, "Denied"],
      [{ answer: "deny", by: eve, at: at(71) }, 11, "Denied"]
    ]
    for (const [vote, after, expected] of votes) {
      const fake = channel([Effect.succeed([vote])])
      const decision = yield* Effect.gen(function*() {
        const { resumable } = yield* Approver
        const handle = yield* resumable!.post(deploy)
        yield* TestClock.adjust(`${60 + after} seconds`)
        return yield* resumable!.listen(deploy, handle)
      }).pipe(Effect.provide(fake.layer), Effect.provide(TestClock.layer()))
      assert.equal(decision._tag, expected, JSON.stringify([vote, after]))
      assert.deepEqual(fake.list, [`${60 + after}s poll, 0s left`, `${60 + after}s ${expected}`])
    }
  }))

it.effect("a timeout may be months long, or infinite", () =>
  Effect.gen(function*() {
    for (const timeout of ["100 days", Infinity, 1e300] as const) {
      const rounds = 100
      const votes = Effect.succeed([{ answer: "deny", by: eve } as const])
      const fake = channel([...Array.from({ length: rounds }, () => silence), votes], {}, { interval: "12 hours" })
      assert.equal((yield* decide(fake, { ...deploy, timeout }, "51 days"))._tag, "Denied")
    }
  }))

it.effect("of several answers the earliest counts, or a denial if the order is unknown", () =>
  Effect.gen(function*() {
    const by = (votes: ReadonlyArray<Vote>, approvers?: ReadonlyArray<string>) => {
      const fake = channel([Effect.succeed(votes)])
      return Effect.map(decide(fake, { ...deploy, timeout: "10 seconds", approvers }), (decision) =>
        decision._tag === "TimedOut"
          ? "TimedOut"
          : `${decision._tag} ${decision.by.id} ${decision.comment ?? ""}`.trim())
    }
    const yes: Vote = { answer: "approve", by: ada }
    const no: Vote = { answer: "deny", by: eve }
    assert.equal(yield* by([yes, no]), "Denied 2")
    assert.equal(yield* by([no, yes]), "Denied 2")
    assert.equal(yield* by([{ ...yes, at: at(1) }, { ...no, at: at(2) }]), "Approved 1")
    assert.equal(yield* by([{ ...yes, at: at(2) }, { ...no, at: at(1) }]), "Denied 2")
    assert.equal(yield* by([{ ...yes, at: at(1) }, { ...no, at: at(1) }]), "Denied 2")
    assert.equal(yield* by([{ ...yes, at: at(1) }, no]), "Denied 2")
    assert.equal(yield* by([yes, { ...no, at: at(1) }]), "Denied 2")
    assert.equal(yield* by([{ ...yes, at: at(1) }, { ...no, at: at(2) }, no]), "Denied 2")
    assert.equal(yield* by([yes, { ...yes, at: at(1), comment: "go" }]), "Approved 1 go")
    assert.equal(yield* by([no, yes], ["1"]), "Approved 1")
    assert.equal(yield* by([no, yes], ["3"]), "TimedOut")
    assert.equal(yield* by([{ ...no, handles: ["@eve"] }, yes], ["@eve"]), "Denied 2")
  }))

it.effect("an answer after the timeout by the channel's own clock does not count", () =>
  Effect.gen(function*() {
    // the channel's clock is an hour ahead
    const votes: ReadonlyArray<Vote> = [{ answer: "approve", by: ada, at: at(3650) }]
    const late = channel([silence, Effect.succeed(votes)], { at: at(3600) })
    assert.equal((yield* decide(late))._tag, "Approved")
    const tooLate = channel([silence, Effect.succeed(votes)], { at: at(3600) })
    assert.equal((yield* decide(tooLate, { ...deploy, timeout: "30 seconds" }))._tag, "TimedOut")
  }))

it.effect("temporary errors of polls are retried, after the delay that the channel asks for", () =>
  Effect.gen(function*() {
    const yes = Effect.succeed([{ answer: "approve", by: ada } as const])
    const fake = channel([
      failing(AlerterErrorReason.Unreachable({})),
      failing(AlerterErrorReason.TimedOut({})),
      failing(AlerterErrorReason.Rejected({ status: 503, detail: "down" })),
      failing(AlerterErrorReason.RateLimited({ retryAfter: Duration.seconds(30) })),
      yes
    ])
    assert.equal((yield* decide(fake))._tag, "Approved")
    assert.deepEqual(fake.list.map((call) => call.split(" ")[0]), ["0s", "2s", "4s", "6s", "36s", "36s"])
  }))

it.effect("a question times out only if its last poll succeeded", () =>
  Effect.gen(function*() {
    const fake = channel([silence, silence, failing(AlerterErrorReason.Unreachable({ detail: "ECONNRESET" }))])
    const error = yield* Effect.flip(decide(fake, { ...deploy, timeout: "4 seconds" }))
    assert.deepEqual([error.channel, error.reason._tag], ["fake", "Unreachable"])
    assert.deepEqual(fake.list.slice(-2), ["4s poll, 0s left", "4s Withdrawn"])
    const back = channel([
      failing(AlerterErrorReason.Unreachable({})),
      failing(AlerterErrorReason.Unreachable({})),
      silence
    ])
    assert.equal((yield* decide(back, { ...deploy, timeout: "4 seconds" }))._tag, "TimedOut")
  }))

it.effect("a permanent error ends the question", () =>
  Effect.gen(function*() {
    for (
      const reason of [
        AlerterErrorReason.Unauthorized({}),
        AlerterErrorReason.Rejected({ status: 404, detail: "gone" }),
        AlerterErrorReason.Rejected({
          detail: "message_not_found"
        })
      ]
    ) {
      const fake = channel([silence, failing(reason)])
      assert.deepEqual((yield* Effect.flip(decide(fake))).reason, reason)
      assert.deepEqual(fake.list, ["0s poll, 60s left", "2s poll, 58s left", "2s Withdrawn"])
    }
    const broken = channel([Effect.die(new Error("see https://hooks.example/s3cr3t-token"))])
    const { reason } = yield* Effect.flip(decide(broken))
    assert.ok(reason._tag === "Rejected" && !reason.detail.includes("s3cr3t"), String(reason))
    assert.deepEqual(broken.list.slice(-1), ["0s Withdrawn"])
  }))

it.effect("a question that could not be prepared is withdrawn, and fails", () =>
  Effect.gen(function*() {
    const fake = channel([silence], { prepare: failing(AlerterErrorReason.Unauthorized({ detail: "no reactions" })) })
    assert.equal((yield* Effect.flip(decide(fake))).reason._tag, "Unauthorized")
    assert.deepEqual(fake.list, ["0s Withdrawn"])
  }))

it.effect("an interrupted question is withdrawn once", () =>
  Effect.gen(function*() {
    const fake = channel([silence])
    const fiber = yield* Effect.forkChild(Effect.provide(Approver.ask(deploy), fake.layer))
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.interrupt(fiber)
    const exit = yield* Fiber.await(fiber)
    assert.ok(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
    assert.deepEqual(fake.list, ["0s poll, 60s left", "2s poll, 58s left", "3s Withdrawn"])
  }))

it.effect("a decision stands even if its message fails", () =>
  Effect.gen(function*() {
    const yes = Effect.succeed([{ answer: "approve", by: ada } as const])
    for (const settle of [failing(AlerterErrorReason.Unreachable({})), Effect.die("a bug"), Effect.never]) {
      const { layer, list } = logs()
      const fake = channel([yes], { settle: () => settle })
      assert.equal((yield* Effect.provide(decide(fake), layer))._tag, "Approved")
      assert.equal(list.length, 1)
      assert.match(list[0]!.message, /could not be marked as settled/)
    }
  }))

it.effect("an invalid question is not posted", () =>
  Effect.gen(function*() {
    for (
      const question of [{ ...deploy, title: " " }, { ...deploy, approvers: [] }, { ...deploy, timeout: 0 }, {
        ...deploy,
        options: { approve: "Go", deny: "go" }
      }]
    ) {
      const fake = channel([silence])
      assert.equal((yield* Effect.flip(decide(fake, question))).reason._tag, "InvalidAlert")
      assert.deepEqual(fake.questions, [])
    }
  }))

it.effect("the channel's secrets are removed from questions", () =>
  Effect.gen(function*() {
    const fake = channel([silence])
    const secret = "with s3cr3t-token"
    yield* decide(fake, {
      title: secret,
      body: secret,
      fields: [{ name: secret, value: secret }],
      options: { approve: `${secret}, yes`, deny: secret },
      timeout: "1 second"
    })
    const clean = "with <redacted>"
    assert.deepEqual(fake.questions[0], {
      title: clean,
      body: clean,
      fields: [{ name: clean, value: clean }],
      options: { approve: `${clean}, yes`, deny: clean },
      timeout: "1 second"
    })
  }))
