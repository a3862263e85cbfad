import { Context, DateTime, Effect, Fiber, Layer, PlatformError, Queue, Schema, Terminal } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { TerminalPrompt } from "../../src/approvers/index.ts"
import { AlerterError, Approver, Params, type Question } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const question: Question = { title: "Drop the table?", timeout: "10 minutes" }

/** A terminal whose lines the test types, and an approver that asks there. */
const terminal = (
  options?: TerminalPrompt.TerminalPromptOptions,
  faults: { columns?: number; broken?: boolean } = {}
) =>
  Effect.gen(function*() {
    const lines = yield* Queue.unbounded<string, Terminal.QuitError>()
    const shown: Array<string> = []
    const service = Terminal.make({
      columns: Effect.succeed(faults.columns ?? 80),
      rows: Effect.succeed(24),
      size: Effect.die("not used"),
      readInput: Effect.die("not used"),
      readLine: Queue.take(lines),
      display: (text) =>
        faults.broken === true
          ? Effect.fail(PlatformError.badArgument({ module: "Terminal", method: "display", description: "EPIPE" }))
          : Effect.sync(() => void shown.push(text))
    })
    const layer = Layer.provide(TerminalPrompt.layer(options), Layer.succeed(Terminal.Terminal, service))
    const { ask } = Context.get(yield* Layer.build(layer), Approver)
    return {
      screen: () => shown.join(""),
      ask: (asked: Partial<Question> = {}) => Effect.forkScoped(ask({ ...question, ...asked })),
      /** Types a line as a person does, some time after the question. */
      type: (line: string) => Effect.andThen(TestClock.adjust("1 second"), Queue.offer(lines, line)),
      typeAtOnce: (line: string) => Queue.offer(lines, line),
      close: Effect.suspend(() => Queue.fail(lines, new Terminal.QuitError()))
    }
  })

/** Asks a question, and types one line. Returns the decision, or `"asked again"` if the line is no answer. */
const answered = (line: string, asked?: Partial<Question>) =>
  Effect.scoped(Effect.gen(function*() {
    const { ask, type } = yield* terminal({ user: "anna" })
    const fiber = yield* ask(asked)
    yield* type(line)
    yield* TestClock.adjust("10 minutes")
    const decision = yield* Fiber.join(fiber)
    return decision._tag === "TimedOut" ? "asked again" : [decision._tag, decision.comment]
  }))

it.effect("TerminalPrompt shows the question and reads a line as the answer", () =>
  Effect.gen(function*() {
    const { ask, screen, type } = yield* terminal({ user: "anna" })
    const fiber = yield* ask({
      body: "It has 3 rows.\nThey are old.",
      fields: [{ name: "table", value: "orders" }],
      options: { approve: "Drop", deny: "Keep" }
    })
    yield* type("drop, it is old")
    assert.deepEqual({ ...(yield* Fiber.join(fiber)) }, {
      _tag: "Approved",
      by: { id: "anna", name: "anna" },
      at: DateTime.makeUnsafe(1000),
      comment: "it is old"
    })
    assert.match(
      screen(),
      /^\? Drop the table\?\n {2}It has 3 rows\.\n {2}They are old\.\n {2}table: orders\n {2}An answer counts until .*\n {2}Drop or Keep, and a comment if you like: Approved by anna\.\n$/
    )
  }))

it.effect("the labels, y, yes, n and no are answers, and nothing else", () =>
  Effect.gen(function*() {
    const approve = ["y", "Y", "yes", " YES ", "Approve", "approve"]
    for (const line of approve) assert.deepEqual(yield* answered(line), ["Approved", undefined], line)
    for (const line of ["n", "No", "deny", "DENY\r"]) {
      assert.deepEqual(yield* answered(line), ["Denied", undefined], line)
    }
    assert.deepEqual(yield* answered("yes: but not today"), ["Approved", "but not today"])
    assert.deepEqual(yield* answered("n – too late \u001b[31mnow"), ["Denied", "too late now"])
    for (const line of ["", " ", "maybe", "not yet", "yesterday", "nope", "ok", "yy", "approved", "1", "ja"]) {
      assert.equal(yield* answered(line), "asked again", line)
    }
  }))

it.effect("the question's labels take precedence over the short forms", () =>
  Effect.gen(function*() {
    const deploy = { options: { approve: "Deploy", deny: "Deploy not" } }
    assert.deepEqual(yield* answered("deploy not today", deploy), ["Denied", "today"])
    assert.deepEqual(yield* answered("deploy now", deploy), ["Approved", "now"])
    // if "no" approves, "n" and "yes" are ambiguous
    const crossed = { options: { approve: "No", deny: "Keep them" } }
    assert.deepEqual(yield* answered("no", crossed), ["Approved", undefined])
    assert.equal(yield* answered("n", crossed), "asked again")
    assert.equal(yield* answered("y", crossed), "asked again")
    assert.deepEqual(yield* answered("keep them", crossed), ["Denied", undefined])
    // a plain yes is ambiguous if the label of the denial begins with it
    const begun = { options: { approve: "Drop", deny: "Yes, keep them" } }
    assert.equal(yield* answered("yes", begun), "asked again")
    assert.deepEqual(yield* answered("yes, keep them", begun), ["Denied", undefined])
    assert.deepEqual(yield* answered("no", begun), ["Denied", undefined])
  }))

it.effect("the prompt appears again until the line is an answer", () =>
  Effect.gen(function*() {
    const { ask, screen, type } = yield* terminal()
    const fiber = yield* ask()
    yield* type("what?")
    yield* type("hm")
    yield* type("no")
    assert.equal((yield* Fiber.join(fiber))._tag, "Denied")
    assert.equal(screen().split("Approve or Deny, and a comment if you like: ").length, 4)
    assert.equal(screen().split("Drop the table?").length, 2)
  }))

it.effect("a line that was typed before the question, or comes from a pipe, is no answer", () =>
  Effect.gen(function*() {
    const { ask, screen, type, typeAtOnce } = yield* terminal()
    yield* typeAtOnce("y")
    const fiber = yield* ask()
    yield* typeAtOnce("y")
    yield* TestClock.adjust("299 millis")
    yield* typeAtOnce("yes")
    yield* TestClock.adjust("0 millis")
    assert.equal(fiber.pollUnsafe(), undefined)
    assert.equal(screen().split("typed before").length, 4)
    yield* type("n")
    assert.equal((yield* Fiber.join(fiber))._tag, "Denied")
  }))

it.effect("control characters and marks of direction do not reach the terminal", () =>
  Effect.gen(function*() {
    const hostile = "a\u001b[2Jb\u0007\u009bc\rd\u202ee\u2066f\ud83d"
    const { ask, screen } = yield* terminal()
    yield* ask({
      title: `${hostile}\n? Another question`,
      body: hostile,
      fields: [{ name: hostile, value: hostile }],
      options: { approve: hostile, deny: "no" }
    })
    yield* TestClock.adjust("1 second")
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(screen()), screen())
    assert.ok(screen().isWellFormed())
    const start = "a\\u{1b}[2Jb\\u{7}\\u{9b}c"
    const end = "d\\u{202e}e\\u{2066}f\\u{d83d}"
    const line = `${start}\\u{d}${end}`
    assert.deepEqual(screen().split("\n").slice(0, 5), [
      `? ${line}\\u{a}? Another question`,
      `  ${start}`,
      `  ${end}`,
      `  ${line}: ${start}`,
      `    ${end}`
    ])
  }))

it.effect("a text of 5 MB is cut in its middle", () =>
  Effect.gen(function*() {
    const { ask, screen } = yield* terminal()
    const huge = "שלום 😀\n".repeat(500_000)
    yield* ask({
      title: huge,
      body: huge,
      fields: Array.from({ length: 500 }, () => ({ name: "log", value: huge.slice(0, 50_000) })),
      options: { approve: huge, deny: "no" }
    })
    yield* TestClock.adjust("1 second")
    assert.ok(screen().length < 60_000, `${screen().length}`)
    assert.match(screen(), /… and 400 more/)
    assert.match(screen(), /… \d+ characters left out …/)
  }))

it.effect("a timeout may be infinite, or end after the last date", () =>
  Effect.gen(function*() {
    for (const timeout of [Infinity, 1e300, "999999999 days"] as const) {
      const { ask, screen, type } = yield* terminal()
      const fiber = yield* ask({ timeout })
      yield* type("n")
      assert.equal((yield* Fiber.join(fiber))._tag, "Denied")
      assert.ok(!screen().includes("counts until"))
    }
  }))

it.effect("a question without an answer times out", () =>
  Effect.gen(function*() {
    const { ask, screen } = yield* terminal()
    const fiber = yield* ask()
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual({ ...(yield* Fiber.join(fiber)) }, { _tag: "TimedOut", at: DateTime.makeUnsafe(600_000) })
    assert.match(screen(), /\nNo answer is awaited any more\.\n$/)
  }))

it.effect("questions appear one after another, and the timeout of each begins when it is asked", () =>
  Effect.gen(function*() {
    const { ask, screen, type } = yield* terminal()
    const first = yield* ask({ title: "First?" })
    yield* TestClock.adjust("1 second")
    const second = yield* ask({ title: "Second?", timeout: "5 minutes" })
    const third = yield* ask({ title: "Third?", timeout: "20 minutes" })
    yield* TestClock.adjust("6 minutes")
    assert.equal((yield* Fiber.join(second))._tag, "TimedOut")
    assert.ok(screen().includes("First?") && !screen().includes("Second?") && !screen().includes("Third?"))
    yield* type("yes, the first")
    const decision = yield* Fiber.join(first)
    assert.ok(decision._tag === "Approved" && decision.comment === "the first")
    yield* TestClock.adjust("1 second")
    assert.ok(screen().includes("Third?") && !screen().includes("Second?"))
    yield* type("no, the third")
    const last = yield* Fiber.join(third)
    assert.ok(last._tag === "Denied" && last.comment === "the third")
  }))

it.effect("after an interrupted question the next one appears", () =>
  Effect.gen(function*() {
    const { ask, screen, type } = yield* terminal()
    const first = yield* ask({ title: "First?" })
    yield* TestClock.adjust("1 second")
    const second = yield* ask({ title: "Second?" })
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("1 second")
    assert.match(screen(), /First\?[^]*No answer is awaited any more\.\n\? Second\?/)
    yield* type("y")
    assert.equal((yield* Fiber.join(second))._tag, "Approved")
  }))

it.effect("without a terminal, or a user who may answer, a question fails", () =>
  Effect.gen(function*() {
    const failure = (faults: { columns?: number; broken?: boolean }, close: boolean, asked: Partial<Question> = {}) =>
      Effect.gen(function*() {
        const { ask, screen, ...typing } = yield* terminal({ user: "anna" }, faults)
        const fiber = yield* ask(asked)
        yield* TestClock.adjust("1 second")
        if (close) yield* typing.close
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.ok(error instanceof AlerterError)
        assert.equal(error.channel, "terminal")
        return { ...error.reason, asked: screen().includes("Drop the table?") }
      })
    assert.deepEqual(yield* failure({}, true), {
      _tag: "Unreachable",
      detail: "the terminal was closed",
      asked: true
    })
    assert.deepEqual(yield* failure({ columns: 0 }, false), {
      _tag: "Unreachable",
      detail: "there is no terminal",
      asked: false
    })
    assert.deepEqual(yield* failure({ broken: true }, false), {
      _tag: "Unreachable",
      detail: "the terminal can't be written to",
      asked: false
    })
    assert.deepEqual(yield* failure({}, false, { approvers: ["ben", "carl"] }), {
      _tag: "InvalidAlert",
      detail: "anna, at the terminal, is none of its approvers",
      asked: false
    })
    assert.deepEqual(yield* failure({}, false, { options: { approve: "Go", deny: "go" } }), {
      _tag: "InvalidAlert",
      detail: "its two answers have the same name",
      asked: false
    })
    assert.equal((yield* failure({}, false, { approvers: [] }))._tag, "InvalidAlert")
    assert.equal((yield* failure({}, false, { title: "" }))._tag, "InvalidAlert")
  }))

it.effect("a user among the approvers may answer", () =>
  Effect.gen(function*() {
    const { ask, type } = yield* terminal({ user: "ben" })
    const fiber = yield* ask({ approvers: ["anna", "ben"] })
    yield* type("y")
    const decision = yield* Fiber.join(fiber)
    assert.ok(decision._tag === "Approved" && decision.by.id === "ben")
  }))

it.effect("the person who answers is the user that the environment names", () =>
  Effect.gen(function*() {
    const { USER, USERNAME } = process.env
    const restore = () => {
      for (const [name, value] of Object.entries({ USER, USERNAME })) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
    const nameWith = (env: Readonly<Record<string, string>>) =>
      Effect.gen(function*() {
        const { ask, type } = yield* terminal()
        delete process.env["USER"]
        delete process.env["USERNAME"]
        Object.assign(process.env, env)
        const fiber = yield* ask()
        yield* type("y")
        const decision = yield* Fiber.join(fiber)
        return decision._tag === "TimedOut" ? undefined : decision.by.name
      }).pipe(Effect.ensuring(Effect.sync(restore)))
    assert.equal(yield* nameWith({ USER: "anna", USERNAME: "ben" }), "anna")
    assert.equal(yield* nameWith({ USERNAME: "ben" }), "ben")
    assert.equal(yield* nameWith({}), "local")
  }))

it.effect("who approves is asked for the values field by field, and again where one does not fit", () =>
  Effect.gen(function*() {
    const { ask, screen, type } = yield* terminal({ user: "anna" })
    const fiber = yield* ask({
      values: Params.form({
        percent: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({ title: "Percent" }),
        ticket: Schema.String.check(Schema.isPattern(/^OPS-/)),
        tags: Schema.optionalKey(Schema.Array(Schema.String)).annotate({ description: "as on the board" })
      })
    })
    for (const line of ["yes, slowly", "ten", "101", "10", "7", "OPS-7", "[1]", "[\"a\"]"]) yield* type(line)
    const decision = yield* Fiber.join(fiber)
    assert.ok(decision._tag === "Approved")
    assert.equal(decision.comment, "slowly")
    assert.deepEqual(decision.values, { percent: 10, ticket: "OPS-7", tags: ["a"] })
    const asked = screen().split("comment if you like: ")[1]!
    assert.match(
      asked,
      /^ {2}Percent \(a whole number from 1 to 100\): {5}percent: expected a whole number from 1 to 100\n {2}Percent /
    )
    assert.match(asked, / {4}ticket: expected .*OPS-.*\n {2}ticket \(a text\): /)
    assert.match(asked, /tags \(as on the board; JSON, optional\): /)
  }))

it.effect("who denies is asked for no values", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* answered("no", { values: Params.form({ n: Schema.Int }) }), ["Denied", undefined])
  }))
