/** Random stories of failures that are reminded of and escalated, compared with a simple model. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { forAll } from "../support/property.ts"

const Action = Schema.Union([
  Schema.Struct({ fails: Schema.Literals(["a", "b"]) }),
  Schema.Struct({ succeeds: Schema.Literals(["a", "b"]) }),
  Schema.Struct({ acknowledged: Schema.Literals(["a", "b"]) }),
  Schema.Struct({ minutes: Schema.Literals([1, 7, 20, 45]) }),
  Schema.Struct({ restarts: Schema.Literal(true) })
])

const Story = Schema.Struct({
  persist: Schema.Boolean,
  actions: Schema.Array(Action).check(Schema.isMinLength(4), Schema.isMaxLength(25))
})

const every = 10
const times = 3
const after = 25

/** A failure, as the model knows it. */
interface Open {
  reminders: number
  /** When the next reminder is due. */
  due: number | undefined
  readonly escalates: number
  isEscalated: boolean
  isAcknowledged: boolean
}

/** The model: what arrives at the chat and at the engineer on call. */
class Model {
  now = 0
  readonly open = new Map<string, Open>()
  chat: Array<string> = []
  onCall: Array<string> = []

  fails(key: string): void {
    this.chat.push(`${key} failed`)
    const open = this.open.get(key)
    if (open === undefined) {
      this.open.set(key, {
        reminders: 0,
        due: this.now + every,
        escalates: this.now + after,
        isEscalated: false,
        isAcknowledged: false
      })
    } else if (open.due !== undefined) open.due = this.now + every
  }

  succeeds(key: string): void {
    this.chat.push(`${key} ok`)
    if (this.open.get(key)?.isEscalated === true) this.onCall.push(`Recovered: ${key} ok`)
    this.open.delete(key)
  }

  acknowledge(key: string): void {
    const open = this.open.get(key)
    if (open === undefined || open.isAcknowledged) return
    open.isAcknowledged = true
    this.chat.push(`Acknowledged by Ada: ${key} failed`)
    if (open.isEscalated) this.onCall.push(`Acknowledged by Ada: ${key} failed`)
  }

  minute(): void {
    this.now++
    for (const [key, open] of this.open) {
      if (open.isAcknowledged) continue
      if (!open.isEscalated && open.escalates <= this.now) {
        open.isEscalated = true
        this.onCall.push(`Escalated: ${key} failed`)
      }
      if (open.due !== undefined && open.due <= this.now) {
        this.chat.push(`Reminder ${++open.reminders}: ${key} failed`)
        open.due = open.reminders < times ? this.now + every : undefined
      }
    }
  }
}

const tell = ({ actions, persist }: typeof Story.Type) =>
  Effect.gen(function*() {
    const model = new Model()
    const got = { chat: new Array<string>(), onCall: new Array<string>() }
    const channel = (name: "chat" | "onCall") => Alerter.layer(({ title }) => Effect.sync(() => got[name].push(title)))
    const store = Layer.succeedContext(yield* Layer.build((yield* memoryStore).layer))
    const name = persist ? "x" : undefined
    const layer = channel("chat").pipe(
      D.remind({ every: `${every} minutes`, until: times, persist: name }),
      D.escalate({ after: `${after} minutes`, to: channel("onCall"), persist: name }),
      Layer.provideMerge(persist ? D.Acknowledgements.layer : D.Acknowledgements.layerMemory),
      Layer.provide(store)
    )
    const begin = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
      return {
        post: Context.get(context, Alerter).post,
        acknowledgements: Context.get(context, D.Acknowledgements),
        close: Scope.close(scope, Exit.void)
      }
    })
    let process = yield* begin
    const post = (key: string, severity: "error" | "success") =>
      process.post(
        Alert.make({ title: `${key} ${severity === "error" ? "failed" : "ok"}`, severity, dedupeKey: key })
      )
    for (const action of actions) {
      if ("fails" in action) {
        yield* post(action.fails, "error")
        model.fails(action.fails)
      } else if ("succeeds" in action) {
        yield* post(action.succeeds, "success")
        model.succeeds(action.succeeds)
      } else if ("acknowledged" in action) {
        yield* Effect.ignore(process.acknowledgements.acknowledge(action.acknowledged, { by: "Ada" }))
        model.acknowledge(action.acknowledged)
      } else if ("minutes" in action) {
        yield* TestClock.adjust(`${action.minutes} minutes`)
        for (let i = 0; i < action.minutes; i++) model.minute()
      } else {
        yield* process.close
        process = yield* begin
        // without a store, what is open is forgotten
        if (!persist) model.open.clear()
      }
      // lets what is due now be posted, which takes two fibers some turns
      for (let i = 0; i < 5; i++) yield* TestClock.adjust("1 millis")
      assert.deepEqual(got.chat.toSorted(), model.chat.toSorted(), "chat")
      assert.deepEqual(got.onCall.toSorted(), model.onCall.toSorted(), "on call")
      const listed = yield* process.acknowledgements.list
      assert.deepEqual(
        listed.map(({ acknowledged, key }) => [key, acknowledged !== undefined]).toSorted(),
        [...model.open].map(([key, { isAcknowledged }]) => [key, isAcknowledged]).toSorted()
      )
    }
    yield* process.close
  }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer]))

test("reminders, escalations and acknowledgements are those of the model, whatever happens", () =>
  Effect.runPromise(forAll(Story, tell, 60)))
