/** Tests signals that come when a run has ended, and its layers are being closed. */
import { describe, expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Pipeline, Step } from "../../src/index.ts"
import { start } from "../support/mainProcess.ts"

describe("a signal that comes when the run has ended, and its layers are being closed", () => {
  /** A layer that is being closed until `release` is called, as a mailbox may be, and then evaluates a step. */
  const closing = () => {
    const began = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const close = Effect.andThen(
      Effect.promise(() => {
        began.resolve()
        return closed.promise
      }),
      Step.make("close", Effect.sleep("20 millis"))
    )
    const layer = Layer.effectDiscard(Effect.addFinalizer(() => close))
    return { layer, began: began.promise, release: () => closed.resolve() }
  }
  const line =
    "SIGTERM: the run has ended: what follows it is interrupted, and what it has used is closed; a second signal ends the process at once"

  test.each(
    [
      ["success", Effect.void, 0, [line]],
      ["failure", Effect.fail("no"), 1, [line, "error: no"]]
    ] as const
  )("keeps the exit code of a %s", async (_, body, code, lines) => {
    const { began, layer, release } = closing()
    const { emit, end, listening, printed } = start(
      Effect.provide(Pipeline.make("job", Step.make<void, string, never>("load", body)), layer)
    )
    await began
    emit("SIGTERM", "SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    expect(await end).toBe(code)
    expect(printed).toEqual([...lines])
    expect(listening()).toEqual([])
  })

  type Around = (effect: Effect.Effect<void>) => Effect.Effect<void, unknown>
  const arounds: ReadonlyArray<readonly [what: string, around: Around]> = [
    ["a time limit", (effect) => Effect.timeout(effect, "1 minute")],
    ["a fiber that is joined", (effect) => Effect.flatMap(Effect.forkChild(effect), Fiber.join)]
  ]
  test.each([...arounds])("keeps it where %s is around both", async (_, around) => {
    const { began, layer, release } = closing()
    const { emit, end, printed } = start(around(Effect.provide(Pipeline.make("job", Effect.void), layer)))
    await began
    emit("SIGTERM", "SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    expect(await end).toBe(0)
    expect(printed).toEqual([line])
  })

  test("interrupts what the program does after a time limit around both", async () => {
    const { began, layer, release } = closing()
    const both = Effect.timeout(Effect.provide(Pipeline.make("job", Effect.void), layer), "1 minute")
    const { emit, end } = start(Effect.andThen(both, Effect.never), { keepAlive: true })
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect(await end).toBe(143)
  })

  test("is followed by a second one, which ends the process at once", async () => {
    const { began, layer } = closing()
    const { emit, end } = start(Effect.provide(Pipeline.make("job", Effect.void), layer))
    await began
    emit("SIGTERM", "SIGTERM")
    emit("SIGINT", "SIGINT")
    expect(await end).toBe(130)
  })

  test("keeps it while the output is being written, until a second one comes", async () => {
    for (const [received, code] of [[["SIGTERM"], 1], [["SIGTERM", "SIGINT"], 130]] as const) {
      const ends: Array<number> = []
      const flushing = Promise.withResolvers<() => void>()
      const { emit } = start(Pipeline.make("job", Effect.fail("no")), {}, {
        exit: (code) => ends.push(code),
        flushed: flushing.resolve
      })
      const written = await flushing.promise
      for (const signal of received) emit(signal, signal)
      written()
      expect(ends[0]).toBe(code)
    }
  })

  test("interrupts what the program would do after that, before a step begins", async () => {
    const { began, layer, release } = closing()
    let isBegun = false
    const next = Step.make(
      "next",
      Effect.sync(() => {
        isBegun = true
      })
    )
    const { emit, end } = start(Effect.andThen(Effect.provide(Pipeline.make("job", Effect.void), layer), next))
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect([await end, isBegun]).toEqual([143, false])
  })

  test("interrupts the wait that follows it", async () => {
    const { began, layer, release } = closing()
    const { emit, end } = start(
      Effect.andThen(Effect.provide(Pipeline.make("job", Effect.void), layer), Effect.never),
      { keepAlive: true }
    )
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect(await end).toBe(143)
  })
})

test("a signal between the runs of a process that stays interrupts its wait for the next one", async () => {
  const began = Promise.withResolvers<void>()
  const wait = Effect.andThen(Effect.sync(began.resolve), Effect.never)
  const { emit, end, printed } = start(Effect.andThen(Pipeline.make("job", Effect.void), wait))
  await began.promise
  emit("SIGTERM", "SIGTERM")
  expect(await end).toBe(143)
  expect(printed).toEqual([
    "SIGTERM: the run has ended: what follows it is interrupted, and what it has used is closed; a second signal ends the " +
    "process at once"
  ])
})
