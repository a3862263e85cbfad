import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { describe, expect, test } from "tstyche"
import { Approval, Durable, Outbox } from "../../src/durable/index.ts"
import {
  Alerter,
  type AlerterError,
  AlerterHooks,
  type Approver,
  type Hook,
  type NotApproved,
  Pipeline,
  Step,
  type StepContext
} from "../../src/index.ts"

class Http extends Schema.TaggedError<Http>()("Http", { status: Schema.Int }) {}
class Parse extends Schema.TaggedError<Parse>()("Parse", { line: Schema.Int }) {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const count: Step.Step<number, Http | Parse, Db>
declare const tidy: Step.Step<void>
declare const sendMail: Effect.Effect<void, Parse, Mail | StepContext>

const Errors = Schema.Union([Http, Parse])
type Engine = WorkflowEngine | WorkflowInstance

describe("Durable.step", () => {
  test("keeps the step's types, and requires an engine", () => {
    const stored = Durable.step(count, { success: Schema.Int, error: Errors })
    expect(stored).type.toBe<
      Step.Step<number, Http | Parse | Durable.CrashedTooOften | Durable.Unstorable, Db | Engine>
    >()
    expect(count.pipe(Durable.step({ success: Schema.Int, error: Errors }))).type.toBe<typeof stored>()
    expect(Durable.step(tidy)).type.toBe<Step.Step<void, Durable.CrashedTooOften | Durable.Unstorable, Engine>>()
    expect(tidy.pipe(Durable.step())).type.toBe<Step.Step<void, Durable.CrashedTooOften | Durable.Unstorable, Engine>>()
    expect(tidy.pipe(Durable.step(), Step.key("k"))).type.toBe<
      Step.Step<void, Durable.CrashedTooOften | Durable.Unstorable, Engine>
    >()
  })

  test("stores what callers get of a step that may be skipped, and needs no schema for a skip", () => {
    const optional = count.pipe(Step.when(true), Durable.step({ success: Schema.Option(Schema.Int), error: Errors }))
    expect(optional).type.toBe<
      Step.Step<Option.Option<number>, Http | Parse | Durable.CrashedTooOften | Durable.Unstorable, Db | Engine>
    >()
    expect(count.pipe(Step.when(true)).pipe).type.not.toBeCallableWith(
      Durable.step({ success: Schema.Int, error: Errors })
    )
    const later = count.pipe(Durable.step({ success: Schema.Int, error: Errors }), Step.when(true))
    expect(later).type.toBe<typeof optional>()
    const skipping = Step.make("s", Step.skip("no rows"))
    expect(Durable.step(skipping, { success: Schema.Never })).type.toBe<
      Step.Step<never, Step.StepSkipped | Durable.CrashedTooOften | Durable.Unstorable, Engine>
    >()
  })

  test("rejects a value that the success schema does not fit", () => {
    expect(Durable.step).type.not.toBeCallableWith(count, { success: Schema.String, error: Errors })
    expect(count.pipe).type.not.toBeCallableWith(Durable.step({ success: Schema.String, error: Errors }))
    // without a schema only void can be stored
    expect(count.pipe).type.not.toBeCallableWith(Durable.step({ error: Errors }))
  })

  test("rejects an error without a schema", () => {
    expect(Durable.step).type.not.toBeCallableWith(count, { success: Schema.Int })
    expect(Durable.step).type.not.toBeCallableWith(count, { success: Schema.Int, error: Http })
    expect(count.pipe).type.not.toBeCallableWith(Durable.step({ success: Schema.Int, error: Http }))
  })

  test("requires no schema for the library's own errors", () => {
    const limited = tidy.pipe(
      Step.requireApproval({ title: "Go?", timeout: "1 hour" }),
      Step.timeout("1 minute"),
      Durable.step()
    )
    expect(limited).type.toBe<
      Step.Step<
        void,
        AlerterError | NotApproved | Cause.TimeoutError | Durable.CrashedTooOften | Durable.Unstorable,
        Approver | Engine
      >
    >()
    expect<Durable.LibraryError>().type.toBe<
      | Step.StepSkipped
      | AlerterError
      | NotApproved
      | Cause.TimeoutError
      | Hook.HookError
      | Durable.CrashedTooOften
      | Durable.StorageFailed
      | Durable.Unstorable
    >()
  })

  test("requires the services of the schemas", () => {
    const Rows = Schema.declare<number>((u): u is number => typeof u === "number") as Schema.Codec<
      number,
      number,
      Db,
      Mail
    >
    expect(Durable.step(Step.make("s", Effect.succeed(1)), { success: Rows })).type.toBe<
      Step.Step<number, Durable.CrashedTooOften | Durable.Unstorable, Db | Mail | Engine>
    >()
  })

  test("gives hooks that are attached afterwards the same types", () => {
    const stored = Durable.step(count, { success: Schema.Int, error: Errors })
    stored.pipe(
      Step.onSuccess((rows) => {
        expect(rows).type.toBe<number>()
        return Effect.void
      }),
      Step.onFailureTag("Http", (error) => {
        expect(error).type.toBe<Http>()
        return Effect.void
      })
    )
    expect(Step.onFailureTag).type.not.toBeCallableWith(stored, "Other", () => Effect.void)
  })
})

describe("Durable.pipeline", () => {
  const options = {
    payload: { day: Schema.String, rows: Schema.NumberFromString },
    success: Schema.Int,
    error: Errors,
    idempotencyKey: ({ day }: { readonly day: string }) => day
  }
  const stored = Durable.step(count, { success: Schema.Int, error: Errors })

  test("infers the payload for the key and the body", () => {
    Durable.pipeline("nightly", {
      payload: { day: Schema.String, rows: Schema.NumberFromString },
      idempotencyKey: (payload) => {
        expect(payload).type.toBe<{ readonly day: string; readonly rows: number }>()
        return payload.day
      }
    }, (payload, executionId) => {
      expect(payload).type.toBe<{ readonly day: string; readonly rows: number }>()
      expect(executionId).type.toBe<string>()
      return Effect.void
    })
    class Payload extends Schema.Class<Payload>("Payload")({ day: Schema.String }) {}
    Durable.pipeline("nightly", { payload: Payload, idempotencyKey: ({ day }) => day }, (payload) => {
      expect(payload).type.toBe<Payload>()
      return Effect.void
    })
  })

  test("requires of the layer the services of the body and its hooks and an engine, and none of a run", () => {
    const plain = Durable.pipeline("nightly", options, () => stored)
    expect(plain.layer).type.toBe<Layer.Layer<never, never, Db | WorkflowEngine>>()
    const hooked = Durable.pipeline("nightly", options, () =>
      Pipeline.make("nightly", stored).pipe(
        Pipeline.stepHooks(AlerterHooks.all),
        Pipeline.onFailure(() => sendMail)
      ))
    expect(hooked.layer).type.toBe<Layer.Layer<never, never, Alerter | Db | Mail | WorkflowEngine>>()
  })

  test("rejects running a pipeline without a service that one of its hooks needs", () => {
    const hooked = Durable.pipeline("tidy", {
      payload: { day: Schema.String },
      idempotencyKey: ({ day }) => day
    }, () => Durable.step(tidy.pipe(Step.onSuccess(() => Effect.ignore(sendMail)))))
    const run = hooked.workflow.execute({ day: "x" }).pipe(
      Effect.provide(hooked.layer),
      Effect.provide(Durable.layerMemory)
    )
    expect(run).type.toBe<
      Effect.Effect<void, Durable.CrashedTooOften | Durable.StorageFailed | Durable.Unstorable, Mail>
    >()
    expect(Effect.runPromise).type.not.toBeCallableWith(run)
  })

  test("gives the workflow the exact result and errors", () => {
    const { name, workflow } = Durable.pipeline("nightly", options, () => stored)
    expect(name).type.toBe<"nightly">()
    expect(workflow.execute({ day: "x", rows: 1 })).type.toBe<
      Effect.Effect<
        number,
        Http | Parse | Durable.CrashedTooOften | Durable.StorageFailed | Durable.Unstorable,
        WorkflowEngine
      >
    >()
    const limited = Durable.pipeline("tidy", {
      payload: { day: Schema.String },
      idempotencyKey: ({ day }) => day
    }, () => Durable.step(Step.timeout(tidy, "1 minute")))
    expect(limited.workflow.execute({ day: "x" })).type.toBe<
      Effect.Effect<
        void,
        Cause.TimeoutError | Durable.CrashedTooOften | Durable.StorageFailed | Durable.Unstorable,
        WorkflowEngine
      >
    >()
    expect(workflow.execute).type.not.toBeCallableWith({ day: 1, rows: 1 })
    expect(workflow.execute).type.not.toBeCallableWith({ day: "x" })
  })

  test("rejects a body that the schemas do not fit", () => {
    const { payload, idempotencyKey, success, error } = options
    expect(Durable.pipeline).type.not.toBeCallableWith("p", { payload, idempotencyKey, error }, () => stored)
    expect(Durable.pipeline).type.not.toBeCallableWith("p", { payload, idempotencyKey, success }, () => stored)
    expect(Durable.pipeline).type.not.toBeCallableWith(
      "p",
      { payload, idempotencyKey, success, error: Http },
      () => stored
    )
    expect(Durable.pipeline).type.not.toBeCallableWith("p", { payload, success, error }, () => stored)
  })
})

describe("engines, approvals and outboxes", () => {
  test("engines have the types of their requirements", () => {
    expect(Durable.layerMemory).type.toBe<Layer.Layer<WorkflowEngine>>()
    expect(Durable.layerSingle()).type.toBeAssignableTo<Layer.Layer<WorkflowEngine, unknown, SqlClient>>()
    expect(Durable.layerSqlite({ filename: "x" })).type.toBeAssignableTo<
      Layer.Layer<WorkflowEngine | SqlClient, unknown>
    >()
    expect(Durable.layerSqlite).type.not.toBeCallableWith({})
  })

  test("approvals and outboxes have the types of their requirements", () => {
    expect(Approval.layer()).type.toBe<Layer.Layer<Approver, never, Alerter>>()
    expect(Approval.answer("t", { approve: true, by: { id: "a", name: "A" } })).type.toBe<
      Effect.Effect<void, Approval.InvalidAnswer, WorkflowEngine>
    >()
    expect(Approval.answer).type.not.toBeCallableWith("t", { approve: true })
    const channel = Alerter.layer(() => Effect.void)
    expect(Outbox.layer(channel)).type.toBeAssignableTo<Layer.Layer<Alerter, unknown, SqlClient>>()
  })
})
