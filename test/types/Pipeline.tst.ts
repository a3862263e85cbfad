import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import { describe, expect, test } from "tstyche"
import type { Alerter } from "../../src/index.ts"
import { AlerterHooks, Hook, Hooks, Pipeline, Step, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const body: Effect.Effect<number, Http, Db>
declare const pipeline: Same
declare const needsMail: Effect.Effect<void, "lost", Mail | StepContext>

type Same = Pipeline.Pipeline<number, Http, Db, never>
type Joined = Pipeline.Pipeline<number, Http, Db | Mail, Mail>
type OfSteps = Pipeline.Pipeline<number, Http, Db | Mail, never>

describe("make", () => {
  test("make keeps the Effect's types and removes StepContext from its services", () => {
    expect(Pipeline.make("p", body)).type.toBe<Same>()
    expect(Pipeline.make("p", Effect.andThen(StepContext, body))).type.toBe<Same>()
    expect(pipeline).type.toBeAssignableTo<Effect.Effect<number, Http, Db>>()
    expect(Effect.runPromise).type.not.toBeCallableWith(pipeline)
  })

  test("named takes the Effect first or last", () => {
    expect(body.pipe(Pipeline.named("p"))).type.toBe<Same>()
    expect(Pipeline.named(body, "p")).type.toBe<Same>()
    expect(Pipeline.named(Effect.andThen(StepContext, body), "p")).type.toBe<Same>()
    expect(Pipeline.named).type.not.toBeCallableWith("p", body)
  })

  test("combinators of Pipeline reject Effects and steps", () => {
    expect(Pipeline.onStart).type.not.toBeCallableWith(body, Effect.void)
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(body, AlerterHooks.all)
    expect(Pipeline.stepHooks(AlerterHooks.all)).type.not.toBeCallableWith(Step.make("s", body))
    expect(Pipeline.hooks).type.not.toBeCallableWith(Step.make("s", body), AlerterHooks.all)
    expect(Pipeline.runName("n")).type.not.toBeCallableWith(Step.make("s", body))
    expect(Pipeline.runName("n")).type.toBeCallableWith(pipeline)
  })
})

describe("fn", () => {
  test("fn infers arguments and result", () => {
    expect(
      Pipeline.fn("p")(function*(id: string) {
        yield* StepContext
        return `${id}${yield* body}`
      })
    ).type.toBe<(id: string) => Pipeline.Pipeline<string, Http, Db, never>>()
    expect(Pipeline.fn("p")((_: string) => body)).type.toBe<(id: string) => Same>()
    expect(Pipeline.fn("p")).type.not.toBeCallableWith((n: number) => n)
  })

  test("combinators of fn receive the pipeline and then the arguments", () => {
    const f = Pipeline.fn("p")(
      function*(n: number) {
        return (yield* body) + n
      },
      Pipeline.onSuccess((value) => {
        expect(value).type.toBe<number>()
        return needsMail
      }),
      (self, n) => {
        expect(self).type.toBe<Joined>()
        expect(n).type.toBe<number>()
        return Pipeline.annotate(self, { n })
      }
    )
    expect(f).type.toBe<(n: number) => Joined>()
  })

  test("fn takes up to six combinators", () => {
    const more = Pipeline.annotate({})
    const last = Pipeline.onStart(needsMail)
    const gen = function*(n: number) {
      return (yield* body) + n
    }
    const eff = (_: number) => body
    type Out = (n: number) => Joined
    expect(Pipeline.fn("f")(gen, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(gen, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(gen, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(gen, more, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(gen, more, more, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(gen, more, more, more, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, more, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, more, more, more, more, last)).type.toBe<Out>()
    expect(Pipeline.fn("f")(eff, more, more, more, more, more, last)).type.toBe<Out>()
  })

  test("combinators of fn have to return a pipeline", () => {
    expect(Pipeline.fn("p")).type.not.toBeCallableWith((_: number) => body, Effect.asVoid)
    expect(Pipeline.fn("p")).type.not.toBeCallableWith((_: number) => body, Step.annotate({}))
  })
})

describe("stepHooks", () => {
  test("stepHooks takes hooks that fit any step and adds their services", () => {
    expect(pipeline.pipe(Pipeline.stepHooks(AlerterHooks.all))).type.toBe<
      Pipeline.Pipeline<number, Http, Db | Alerter, never>
    >()
    expect(Pipeline.stepHooks(pipeline, AlerterHooks.failure)).type.toBe<
      Pipeline.Pipeline<number, Http, Db | Alerter, never>
    >()
    expect(pipeline.pipe(Pipeline.stepHooks(Hook.onStart(needsMail)))).type.toBe<OfSteps>()
    expect(pipeline.pipe(Pipeline.stepHooks(Hook.onFailureTag("Http", () => Effect.void)))).type.toBe<Same>()
    expect(pipeline.pipe(Pipeline.stepHooks(Hooks.empty))).type.toBe<Same>()
  })

  test("stepHooks rejects hooks for a certain value, error or fields of a tagged error", () => {
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(Hook.onSuccess((_: number) => Effect.void))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(pipeline, Hook.onSuccess((_: number) => Effect.void))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(Hook.onFailure((_: Cause.Cause<Http>) => Effect.void))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(
      pipeline,
      Hook.onFailure((_: Cause.Cause<Http>) => Effect.void)
    )
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(Hook.onFailureTag("Http", (_: Http) => Effect.void))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(pipeline, Hook.onFailureTag("Http", (_: Http) => Effect.void))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(
      Hooks.make(AlerterHooks.all, Hook.onFailureTag("Http", (_: Http) => Effect.void))
    )
  })

  test("stepHooks rejects required hooks", () => {
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(Hook.required(Hook.onStart(Effect.void)))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(pipeline, Hook.required(Hook.onStart(Effect.void)))
    expect(Pipeline.stepHooks).type.not.toBeCallableWith(Hooks.make(Hook.required(AlerterHooks.failure)))
    expect(Pipeline.stepHooks).type.toBeCallableWith(Hook.onStart(Effect.void))
    // @ts-expect-error 'HookError' is not assignable to type 'never'
    pipeline.pipe(Pipeline.stepHooks(Hook.required(AlerterHooks.failure)))
  })
})

describe("onFailureTag", () => {
  test("onFailureTag infers the error from its tag, data-last and data-first", () => {
    pipe(
      pipeline,
      Pipeline.onFailureTag("Http", (error) => {
        expect(error).type.toBe<Http>()
        return Effect.void
      })
    )
    Pipeline.onFailureTag(pipeline, "Http", (error) => {
      expect(error).type.toBe<Http>()
      return Effect.void
    })
  })

  test("onFailureTag keeps the pipeline's types and adds the hook's services", () => {
    expect(pipeline.pipe(Pipeline.onFailureTag("Http", () => needsMail))).type.toBe<Joined>()
    expect(Pipeline.onFailureTag(pipeline, "Http", () => needsMail)).type.toBe<Joined>()
  })

  test("onFailureTag rejects a tag that the pipeline can't fail with", () => {
    expect(Pipeline.onFailureTag).type.not.toBeCallableWith(pipeline, "Slow", () => Effect.void)
    expect(Pipeline.onFailureTag).type.toBeCallableWith(pipeline, "Http", () => Effect.void)
    // @ts-expect-error Argument of type '"Slow"' is not assignable to parameter of type '"Http"'
    pipeline.pipe(Pipeline.onFailureTag("Slow", () => Effect.void))
  })

  test("onFailureTag rejects a step", () => {
    expect(Pipeline.onFailureTag).type.not.toBeCallableWith(Step.make("s", body), "Http", () => Effect.void)
  })
})

describe("the run's own hooks", () => {
  test("the arguments of the run's hooks are inferred", () => {
    pipe(
      pipeline,
      Pipeline.onSuccess((value) => {
        expect(value).type.toBe<number>()
        return Effect.void
      }),
      Pipeline.onFailure((cause) => {
        expect(cause).type.toBe<Cause.Cause<Http>>()
        return Effect.void
      }),
      Pipeline.onExit((exit) => {
        expect(exit).type.toBe<Exit.Exit<number, Http>>()
        return Effect.void
      })
    )
    Pipeline.onSuccess(pipeline, (value) => {
      expect(value).type.toBe<number>()
      return Effect.void
    })
  })

  test("the run's hooks add their services but StepContext, and not their errors", () => {
    expect(pipeline.pipe(Pipeline.onStart(needsMail))).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.onSuccess(() => needsMail))).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.onFailure(() => needsMail))).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.onInterrupt(() => needsMail))).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.onExit(() => needsMail))).type.toBe<Joined>()
    expect(Pipeline.onStart(pipeline, needsMail)).type.toBe<Joined>()
    expect(Pipeline.onSuccess(pipeline, () => needsMail)).type.toBe<Joined>()
    expect(Pipeline.onFailure(pipeline, () => needsMail)).type.toBe<Joined>()
    expect(Pipeline.onInterrupt(pipeline, () => needsMail)).type.toBe<Joined>()
    expect(Pipeline.onExit(pipeline, () => needsMail)).type.toBe<Joined>()
  })

  test("a hook for another value, cause or tag is rejected", () => {
    expect(Pipeline.onSuccess((_: string) => Effect.void)).type.not.toBeCallableWith(pipeline)
    expect(Pipeline.onFailure((_: Cause.Cause<string>) => Effect.void)).type.not.toBeCallableWith(pipeline)
    expect(Pipeline.hooks(Hook.onFailureTag("Other", () => Effect.void))).type.not.toBeCallableWith(pipeline)
    expect(Pipeline.hooks(Hook.onFailureTag("Http", (_: Http) => Effect.void))).type.toBeCallableWith(pipeline)
    expect(Pipeline.hooks(Hook.onSuccess((_: string) => Effect.void))).type.not.toBeCallableWith(pipeline)
  })

  test("a required hook of the run adds HookError to E", () => {
    expect(pipeline.pipe(Pipeline.hooks(Hook.required(Hook.onStart(Effect.void))))).type.toBe<
      Pipeline.Pipeline<number, Http | Hook.HookError, Db, never>
    >()
    expect(Pipeline.hooks(pipeline, Hook.required(Hook.onStart(Effect.void)))).type.toBe<
      Pipeline.Pipeline<number, Http | Hook.HookError, Db, never>
    >()
  })

  test("annotate and runName change no type", () => {
    expect(pipeline.pipe(Pipeline.annotate({ a: 1 }), Pipeline.runName("n"))).type.toBe<Same>()
    expect(Pipeline.runName(Pipeline.annotate(pipeline, { a: 1 }), "n")).type.toBe<Same>()
  })
})

describe("overdue", () => {
  const nudge = () => needsMail

  test("onOverdue, overdue and deadline take the run first or last, and keep its types but for the services of the hook", () => {
    expect(pipeline.pipe(Pipeline.onOverdue(nudge))).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.onOverdue("1 hour", nudge, { every: "1 hour" }))).type.toBe<Joined>()
    expect(Pipeline.onOverdue(pipeline, nudge)).type.toBe<Joined>()
    expect(Pipeline.onOverdue(pipeline, "1 hour", nudge)).type.toBe<Joined>()
    expect(pipeline.pipe(Pipeline.overdue("1 hour"))).type.toBe<typeof pipeline>()
    expect(Pipeline.overdue(pipeline, "1 hour", { every: "1 hour" })).type.toBe<typeof pipeline>()
    expect(pipeline.pipe(Pipeline.deadline("06:00"))).type.toBe<typeof pipeline>()
    expect(Pipeline.deadline(pipeline, "06:00", { timeZone: "Europe/Berlin", every: "1 hour" })).type.toBe<Same>()
    expect(Pipeline.deadline).type.not.toBeCallableWith(pipeline, 6)
    expect(Pipeline.deadline).type.not.toBeCallableWith(body, "06:00")
    expect(Pipeline.onOverdue).type.not.toBeCallableWith(pipeline, "soon", nudge)
  })
})

describe("timeout", () => {
  test("timeout adds its error, with a grace too", () => {
    type Limited = Pipeline.Pipeline<number, Http | Cause.TimeoutError, Db, never>
    expect(pipeline.pipe(Pipeline.timeout("1 hour"))).type.toBe<Limited>()
    expect(pipeline.pipe(Pipeline.timeout("1 hour", { grace: "10 seconds" }))).type.toBe<Limited>()
    expect(Pipeline.timeout(pipeline, "1 hour", { grace: 0 })).type.toBe<Limited>()
    expect(Pipeline.timeout).type.not.toBeCallableWith(body, "1 hour")
    expect(Pipeline.timeout).type.not.toBeCallableWith(pipeline, "1 hour", { grace: "soon" })
  })
})

describe("provide", () => {
  class Refused extends Data.TaggedError("Refused") {}
  class Url extends Context.Service<Url, string>()("Url") {}
  const db = Layer.effect(Db, Effect.map(Url, (url) => ({ rows: url.length })))
  const refused = Layer.effect(Db, Effect.fail(new Refused()))
  const mail = Layer.succeed(Mail, { send: Effect.void })

  test("provide removes what the layer provides, and adds its error and what it requires", () => {
    expect(pipeline.pipe(Pipeline.provide(refused))).type.toBe<
      Pipeline.Pipeline<number, Http | Refused, never, never>
    >()
    expect(Pipeline.provide(pipeline, refused)).type.toBe<Pipeline.Pipeline<number, Http | Refused, never, never>>()
    expect(pipeline.pipe(Pipeline.provide(db))).type.toBe<Pipeline.Pipeline<number, Http, Url, never>>()
    expect(pipeline.pipe(Pipeline.provide(db), Pipeline.provide(Layer.succeed(Url, "")))).type.toBe<
      Pipeline.Pipeline<number, Http, never, never>
    >()
    expect(pipeline.pipe(Pipeline.provide([db, Layer.succeed(Mail, { send: Effect.void })]))).type.toBe<
      Pipeline.Pipeline<number, Http, Url, never>
    >()
    expect(Pipeline.provide(pipeline, [refused])).type.toBe<Pipeline.Pipeline<number, Http | Refused, never, never>>()
    expect(Effect.runPromise).type.toBeCallableWith(pipeline.pipe(Pipeline.provide(refused)))
  })

  test("a layer may require StepContext, which is not required then", () => {
    const named = Layer.effect(Db, Effect.as(StepContext, { rows: 1 }))
    expect(pipeline.pipe(Pipeline.provide(named))).type.toBe<Pipeline.Pipeline<number, Http, never, never>>()
  })

  test("what hooks of steps require is provided", () => {
    const withHook = pipeline.pipe(Pipeline.stepHooks(Hook.onStart(needsMail)), Pipeline.provide([db, mail]))
    expect(withHook).type.toBe<Pipeline.Pipeline<number, Http, Url, never>>()
  })

  test("what the run's own hooks require stays required, whether they are attached before or after", () => {
    type NeedsMail = Pipeline.Pipeline<number, Http | Refused, Mail, Mail>
    const both = Layer.merge(refused, mail)
    expect(pipeline.pipe(Pipeline.onFailure(() => needsMail), Pipeline.provide(both))).type.toBe<NeedsMail>()
    expect(pipeline.pipe(Pipeline.provide(both), Pipeline.onFailure(() => needsMail))).type.toBe<NeedsMail>()
    expect(Effect.runPromise).type.not.toBeCallableWith(
      pipeline.pipe(Pipeline.onFailure(() => needsMail), Pipeline.provide(both))
    )
    expect(Effect.runPromise).type.toBeCallableWith(
      pipeline.pipe(Pipeline.onFailure(() => needsMail), Pipeline.provide(both), Effect.provide(mail))
    )
  })

  test("a service that the body and a hook of the run require stays required", () => {
    const hooked = pipeline.pipe(Pipeline.onStart(Effect.asVoid(Db)), Pipeline.provide(refused))
    expect(hooked).type.toBe<Pipeline.Pipeline<number, Http | Refused, Db, Db>>()
  })

  test("a pipeline of a type that leaves the hooks' services out may require all of them in its hooks", () => {
    const annotated: Pipeline.Pipeline<number, Http, Db | Mail> = pipeline.pipe(Pipeline.onStart(needsMail))
    expect(Pipeline.provide(annotated, refused)).type.toBe<
      Pipeline.Pipeline<number, Http | Refused, Db | Mail, Db | Mail>
    >()
  })

  test("the error of the layer is that of hooks that are attached later", () => {
    pipe(
      pipeline,
      Pipeline.provide(refused),
      Pipeline.onFailureTag("Refused", (error) => {
        expect(error).type.toBe<Refused>()
        return Effect.void
      })
    )
  })

  test("provide takes no Effects, no steps and no contexts", () => {
    expect(Pipeline.provide).type.not.toBeCallableWith(body, db)
    expect(Pipeline.provide(db)).type.not.toBeCallableWith(Step.make("s", body))
    expect(Pipeline.provide).type.not.toBeCallableWith(pipeline, Context.make(Db, { rows: 1 }))
  })
})
