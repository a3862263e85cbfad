/** Registers the tests that hold for every approver that asks in a channel. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import type { ApproverOptions } from "../../src/approvers/index.ts"
import { Approver, Params, type Question } from "../../src/index.ts"
import { answered, type ApproverContract, deploy, fast } from "./approverFixture.ts"
import { canary, leaks, recorder } from "./canary.ts"
import { htmlErrorPage, type Reply } from "./channelServer.ts"
import type { FakeChannel } from "./fakeApi.ts"
import { makeIt, type RegisterTest } from "./it.ts"
import { logs } from "./observe.ts"
import { forAll } from "./property.ts"
import { resumableContract } from "./resumableContract.ts"

export const approverContract = <F extends FakeChannel>(test: RegisterTest, contract: ApproverContract<F>): void => {
  resumableContract(test, contract)
  const it = makeIt(test)
  const { channel, fake, people: [ada, eve], unauthorized } = contract

  const ask = ({ api }: F, question: Question = deploy, options: ApproverOptions = fast) =>
    Approver.ask(question).pipe(Effect.provide(contract.layer(api.url, options)))

  for (const answer of ["approve", "deny"] as const) {
    it.live(`${channel}: an answer to ${answer} decides the question and is shown in its message`, () =>
      Effect.gen(function*() {
        const server = yield* fake
        server.api.on(server.methods.poll, (n) => n === 3 ? server.vote(0, answer, ada) : undefined)
        const before = Date.now()
        const decision = yield* ask(server, {
          ...deploy,
          body: "of build 1461",
          fields: [{ name: "commit", value: "abc123" }],
          options: { approve: "Ship it", deny: "Hold" }
        })
        const outcome = answer === "approve" ? "Approved" : "Denied"
        assert.equal(answered(decision), `${outcome} by Ada Lovelace (${ada})`)
        const at = DateTime.toEpochMillis(decision.at)
        assert.ok(at >= before && at <= Date.now(), `${at}`)
        const asked = JSON.stringify(server.api.bodies(server.methods.ask)[0])
        for (const part of ["Deploy to production?", "of build 1461", "abc123", "Ship it", "Hold"]) {
          assert.ok(asked.includes(part), part)
        }
        assert.equal(server.shown().length, 1)
        assert.match(server.shown()[0]!, new RegExp(`Deploy to production.*${outcome} by Ada Lovelace at \\d{4}-`))
      }))
  }

  it.live(`${channel}: a question for values says where to approve, and only a denial in the channel counts`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      server.api.on(server.methods.poll, (n) => {
        if (n === 1) server.vote(0, "approve", ada)
        if (n === 4) server.vote(0, "deny", eve)
      })
      const decision = yield* Effect.gen(function*() {
        const { ask } = yield* Approver
        // as a durable approver does, which takes the values of the command
        return yield* ask({ ...deploy, values: Params.form({ percent: Schema.Int }) })
      }).pipe(Effect.provide(contract.layer(server.api.url, fast)))
      assert.equal(decision._tag, "Denied")
      const asked = JSON.stringify(server.api.bodies(server.methods.ask)[0])
      assert.match(asked, /Approve” needs values, which the command below takes/)
      assert.ok(Exit.isFailure(yield* Effect.exit(ask(server, { ...deploy, values: Params.form({ n: Schema.Int }) }))))
    }))

  it.live(`${channel}: only answers of the approvers count, and silence times out`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      server.api.on(server.methods.poll, (n) => n === 1 ? server.vote(0, "approve", eve) : undefined)
      const decision = yield* ask(server, { ...deploy, approvers: [ada], timeout: "100 millis" })
      assert.equal(decision._tag, "TimedOut")
      assert.match(server.shown()[0]!, /Timed out at \d{4}-/)
      server.api.on(server.methods.poll, () => {
        if (server.shown().length !== 2 || /Approved/.test(server.shown()[1]!)) return
        server.vote(1, "deny", eve)
        server.vote(1, "approve", ada)
      })
      assert.equal(
        answered(yield* ask(server, { ...deploy, approvers: [ada] })),
        `Approved by Ada Lovelace (${ada})`
      )
    }))

  it.live(`${channel}: a denial wins over an approval that is seen in the same poll`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      server.api.on(server.methods.poll, (n) => {
        if (n !== 2) return
        server.vote(0, "approve", ada)
        server.vote(0, "deny", eve)
      })
      assert.equal((yield* ask(server))._tag, "Denied")
    }))

  it.live(`${channel}: late answers and answers to other questions do not count`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const late = yield* ask(server, { ...deploy, timeout: "30 millis" })
      assert.equal(late._tag, "TimedOut")
      const polled = server.api.calls.filter(({ method }) => method === server.methods.poll).length
      server.vote(0, "approve", ada)
      const next = yield* ask(server, { ...deploy, timeout: "60 millis" })
      assert.equal(next._tag, "TimedOut")
      assert.ok(server.api.calls.filter(({ method }) => method === server.methods.poll).length > polled)
      assert.match(server.shown()[0]!, /Timed out/)
    }))

  it.live(`${channel}: concurrent questions each get their own answer`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      let voted = false
      server.api.on(server.methods.poll, () => {
        if (server.shown().length < 3 || voted) return
        voted = true
        for (const [index, message] of server.shown().entries()) {
          if (!message.includes("silent")) server.vote(index, message.includes("yes") ? "approve" : "deny", ada)
        }
      })
      const asking = (title: string, timeout: string) => Approver.ask({ title, timeout: timeout as "1 second" })
      const [first, second, third] = yield* Effect.all([
        asking("question yes", "3 seconds"),
        asking("question other", "3 seconds"),
        asking("question silent", "200 millis")
      ], { concurrency: "unbounded" }).pipe(Effect.provide(contract.layer(server.api.url, fast)))
      assert.deepEqual([first._tag, second._tag, third._tag], ["Approved", "Denied", "TimedOut"])
      for (const message of server.shown()) {
        const outcome = message.includes("yes") ? "Approved by" : message.includes("silent") ? "Timed out" : "Denied by"
        assert.ok(message.includes(outcome), message)
      }
    }))

  it.live(`${channel}: failed polls are tried again`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const faults: ReadonlyArray<Reply> = [{ status: 500 }, "reset", htmlErrorPage, { body: "<html>" }, "resetMidBody"]
      server.api.on(server.methods.poll, (n) => {
        if (n === faults.length + 1) server.vote(0, "approve", ada)
        return faults[n - 1]
      })
      assert.equal((yield* ask(server, deploy, { ...fast, retries: 0 }))._tag, "Approved")
    }))

  it.live(`${channel}: a last poll that fails is an error rather than a timeout`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      server.api.on(server.methods.poll, (n) => n === 1 ? undefined : { status: 503 })
      const error = yield* Effect.flip(ask(server, { ...deploy, timeout: "1 second" }, { ...fast, retries: 0 }))
      assert.equal(error.channel, channel)
      assert.ok(error.reason._tag === "Rejected" && error.reason.status === 503)
      assert.match(server.shown()[0]!, /Withdrawn/)
    }))

  it.live(`${channel}: wrong credentials fail the question, and withdraw it if it was already posted`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      server.api.on(server.methods.ask, (n) => n === 1 ? unauthorized : undefined)
      const refused = yield* Effect.flip(ask(server))
      assert.equal(refused.reason._tag, "Unauthorized")
      assert.deepEqual(server.shown(), [])
      server.api.on(server.methods.poll, (n) => n > 1 ? unauthorized : undefined)
      const revoked = yield* Effect.flip(ask(server))
      assert.equal(revoked.reason._tag, "Unauthorized")
      assert.match(server.shown()[0]!, /Withdrawn/)
    }))

  it.live(`${channel}: interrupting the asking fiber withdraws the question`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const fiber = yield* Effect.forkChild(ask(server))
      yield* server.api.called(server.methods.poll, 2)
      yield* Fiber.interrupt(fiber)
      assert.match(server.shown()[0]!, /Withdrawn/)
      // also where the interruption comes while the question is being posted
      let asking: Fiber.Fiber<unknown, unknown> | undefined
      let interrupted: Promise<unknown> | undefined
      server.api.on(server.methods.ask, () => {
        interrupted = Effect.runPromise(Fiber.interrupt(asking!))
      })
      asking = yield* Effect.forkChild(ask(server))
      const exit = yield* Fiber.await(asking)
      yield* Effect.promise(() => interrupted!)
      assert.ok(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
      assert.equal(server.shown().length, 2)
      assert.match(server.shown()[1]!, /Withdrawn/)
    }))

  it.live(`${channel}: a decision stands even if its message can't be edited`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const { layer, list } = logs()
      const faults = [{ status: 400, body: "no" }, "hang"] as const
      server.api.on(server.methods.edit, (n) => faults[n - 1])
      server.api.on(server.methods.poll, () => server.vote(server.shown().length - 1, "approve", ada))
      for (const _ of faults) {
        const decision = yield* Effect.provide(ask(server, deploy, { ...fast, timeout: "100 millis" }), layer)
        assert.equal(decision._tag, "Approved")
      }
      assert.deepEqual(list.map(({ level }) => level), ["Warn", "Warn"])
      assert.match(list[0]!.message, /could not be marked as settled/)
    }))

  it.live(`${channel}: questions of any text and size keep the channel's limits and are not read as markup`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const text = (length: number) => Schema.String.check(Schema.isMaxLength(length))
      const Any = Schema.Struct({ title: text(50), body: text(200), name: text(20), value: text(50) })
      const payloads = (question: Omit<Question, "timeout">) =>
        Effect.map(ask(server, { ...question, timeout: "1 millis" }), () => {
          const asked = JSON.stringify(server.api.bodies(server.methods.ask).at(-1))
          contract.checks(asked)
          contract.checks(server.shown().at(-1)!)
          return asked
        })
      yield* forAll(
        Any,
        ({ body, name, title, value }) =>
          payloads({ title: `q${title}`, body, fields: [{ name, value }, { name: "x", value: "y" }] }),
        15
      )
      const huge = "😀<!channel> @everyone <@U123> \u202eשלום `".repeat(130_000)
      const asked = yield* payloads({
        title: `go? ${huge}`,
        body: huge,
        fields: Array.from({ length: 200 }, (_, i) => ({ name: `f${i}`, value: huge.slice(0, 5000) })),
        options: { approve: "yes <!here> @here", deny: "no" }
      })
      assert.ok(asked.isWellFormed() && !/\\ud[89a-f]/i.test(asked))
      for (const part of ["yes", "no", "שלום", "😀", "characters left out"]) assert.ok(asked.includes(part), part)
    }))

  it.live(`${channel}: errors, logs and spans contain no secret, even if the server quotes it`, () =>
    Effect.gen(function*() {
      const recorded = recorder()
      const echo: Reply = ({ body, headers, path }) => ({
        status: 404,
        body: `${path} ${JSON.stringify(headers)} ${body}`
      })
      for (const reply of [echo, { status: 500 }, unauthorized, "reset", "resetMidBody"] as const) {
        for (const step of ["ask", "poll", "edit"] as const) {
          const server = yield* fake
          server.api.on(server.methods[step], () => reply)
          const question: Question = { ...deploy, timeout: "10 millis" }
          const exit = yield* ask(server, question, { ...fast, retries: 0 }).pipe(
            Effect.tapCause((cause) => Effect.logError("not asked", cause)),
            Effect.withSpan("test"),
            Effect.provide(recorded.layer),
            Effect.exit
          )
          recorded.keep("events", exit._tag === "Failure" ? Cause.pretty(exit.cause) : exit)
          // guards the search below: a secret was sent, so it could have leaked
          const { headers, path } = server.api.calls.find(({ method }) => method === server.methods[step])!.received
          assert.ok(`${path} ${JSON.stringify(headers)}`.includes(canary), "no secret was sent")
        }
      }
      assert.ok(recorded.counts.spans > 0 && recorded.counts.logs > 0)
      assert.deepEqual(leaks(recorded.outputs), [])
    }))
}
