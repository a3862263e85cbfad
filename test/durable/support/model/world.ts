/** Plays histories, and finds what must never happen. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Approval, Durable } from "../../../../src/durable/index.ts"
import { ada } from "../engine.ts"
import { type Action, type History, leavesOf } from "./histories.ts"
import type { Process, Running } from "./processes.ts"
import { Programs, type Run, wait } from "./program.ts"

interface RunRow {
  readonly id: number
  readonly execution: string
  readonly state: string
  readonly interruption: number
}

const realTime = Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, 30)))

class World extends Programs {
  running: Running<WorkflowEngine> | undefined

  // ---------------------------------------------------------------------------
  // what happens to processes
  // ---------------------------------------------------------------------------

  private readonly workflow = this.job({} as Process).workflow

  /**
   * Executes an effect in the process that runs, or in another one, and calls `done` if that ends. Something that is told
   * to a run may wait for what the run is doing, and that for the clock.
   */
  private in(
    elsewhere: boolean,
    effect: Effect.Effect<unknown, unknown, WorkflowEngine>,
    done?: () => void
  ): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      if (elsewhere) {
        yield* Effect.ignore(effect).pipe(
          Effect.provide(Layer.orDie(Durable.layerSqliteClient({ filename: this.processes.filename })))
        )
        // it is heard of in real time
        yield* realTime
        done?.()
      } else {
        yield* this.started
        yield* this.running?.run(Effect.ignore(effect), done) ?? Effect.void
        yield* this.processes.settled
      }
    })
  }

  /** Starts a process where none lives. One that dies at its start is followed by another. */
  get started(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      while (this.running === undefined || this.running.dead) {
        this.running = yield* this.processes.start(this.pipelines)
      }
    }) as Effect.Effect<void>
  }

  /** Lets something happen, and checks what has become of the runs. */
  act(action: Action): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      yield* this.started
      switch (action.do) {
        case "advance":
          yield* TestClock.adjust(action.millis)
          break
        case "clock":
          this.processes.offset += action.millis
          break
        case "kill":
          this.running?.dieAfter(action.statements, action.after)
          break
        case "restart":
          if (!(yield* this.running!.shutDown)) this.problem("a process does not shut down")
          break
        case "interrupt": {
          const run = this.runs[action.nth % this.runs.length]!
          if (run.executionId === undefined) break
          run.asked = true
          yield* this.in(action.elsewhere, this.workflow.interrupt(run.executionId), () => {
            run.interrupted = true
          })
          break
        }
        case "answer": {
          const token = this.tokens[action.nth]
          if (token === undefined) break
          yield* this.in(action.elsewhere, Approval.answer(token, { approve: action.approve, by: ada }))
          break
        }
        case "complete": {
          const waits = this.waits
          const found = waits[action.nth % Math.max(1, waits.length)]
          if (found !== undefined) yield* this.complete(found, action.elsewhere)
        }
      }
      yield* this.started
      yield* this.processes.settled
      if (this.running?.dead === false) this.check()
    })
  }

  /** The waits of all programs. */
  get waits(): ReadonlyArray<readonly [run: Run, name: string]> {
    return this.programs.flatMap((program, nth) =>
      leavesOf(program).flatMap(([name, { kind }]) => kind === "wait" ? [[this.runs[nth]!, name] as const] : [])
    )
  }

  complete([{ executionId }, name]: readonly [run: Run, name: string], elsewhere: boolean): Effect.Effect<unknown> {
    if (executionId === undefined) return Effect.void
    const deferred = wait(name)
    const token = DurableDeferred.tokenFromExecutionId(deferred, { workflow: this.workflow, executionId })
    return this.in(elsewhere, DurableDeferred.succeed(deferred, { token, value: `${name} came` }))
  }

  /** Submits all runs, again where the process died before it is known that they are there. */
  get submitted(): Effect.Effect<void> {
    return Effect.forEach(this.runs, (run) =>
      Effect.gen({ self: this }, function*() {
        while (run.executionId === undefined) {
          let executionId: string | undefined
          yield* this.in(
            false,
            Effect.map(this.workflow.execute({ id: run.id }, { discard: true }), (id) => {
              executionId = id
            }),
            () => {
              run.executionId = executionId
            }
          )
        }
      }), { discard: true })
  }

  rows(): ReadonlyArray<RunRow> {
    return this.processes.query<RunRow>("SELECT id, execution, state, interruption FROM effect_epilogue_runs")
  }

  /** What a suspended run waits for: each of it is named in the database, or in its program. */
  waitsFor({ execution }: RunRow): ReadonlyArray<string> {
    const nth = this.runs.findIndex(({ executionId }) => executionId === execution)
    const clocks = this.processes.query<{ name: string }>(
      "SELECT name FROM effect_epilogue_clocks WHERE execution = ?",
      execution
    )
    const questions = this.processes.query<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE name = 'effect_epilogue_questions'"
      ).length === 0
      ? []
      : this.processes.query<{ id: string }>(
        `SELECT id FROM effect_epilogue_questions
         WHERE json_extract(question, '$.executionId') = ? AND ended IS NULL`,
        execution
      )
    const completed = new Set(
      this.processes.query<{ name: string }>(
        "SELECT name FROM effect_epilogue_deferreds WHERE execution = ?",
        execution
      ).map(({ name }) => name)
    )
    const waits = leavesOf(this.programs[nth] ?? []).flatMap(([name, { kind }]) =>
      kind === "wait" && !completed.has(wait(name).name) ? [name] : []
    )
    return [...clocks.map(({ name }) => name), ...questions.map(({ id }) => id), ...waits]
  }

  /** Checks, while nothing happens, that each run waits for something. */
  check(): void {
    for (const row of this.rows()) {
      if (row.state !== "suspended") continue
      if (this.waitsFor(row).length === 0) this.problem(`run ${row.execution} is suspended and waits for nothing`)
      if (row.interruption > 0) this.problem(`run ${row.execution} is suspended though it was asked to end`)
    }
  }

  // ---------------------------------------------------------------------------
  // the end
  // ---------------------------------------------------------------------------

  /** Gives all runs what they wait for, until they have ended. */
  get ended(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      for (let round = 0; round < 120; round++) {
        // what takes real time, such as a pause before another try, may take it
        if (round > 20) yield* realTime
        yield* this.started
        yield* this.processes.settled
        if (this.running?.dead === true) continue
        this.check()
        const rows = this.rows()
        if (rows.length === this.runs.length && rows.every(({ state }) => state === "ended")) return
        for (const found of this.waits) yield* this.complete(found, false)
        for (const token of this.tokens) yield* this.in(false, Approval.answer(token, { approve: true, by: ada }))
        // in pieces, so that each can begin what the next one waits for
        for (const millis of [1_000, 30_000, 100_000, 7_200_000]) {
          yield* TestClock.adjust(millis)
          yield* this.processes.settled
        }
      }
      for (const row of this.rows()) {
        if (row.state !== "ended") {
          this.problem(
            `run ${row.execution} never ends: it is ${row.state}, and waits for ${this.waitsFor(row).join()}`
          )
        }
      }
    })
  }

  /** Checks what is recorded of the runs, and what was told of them. */
  get checkEnds(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      for (const [key, told] of this.told) {
        if (key === "") this.problem(`told without a key: ${told[0]!.alert.title}`)
        if (new Set(told.map(({ alert }) => alert.title)).size > 1) this.problem(`one key for several alerts: ${key}`)
        const processes = told.map(({ process }) => process.nth)
        if (new Set(processes).size < processes.length) this.problem(`told twice by one process: ${key}`)
      }
      for (const row of this.rows()) {
        if (row.state !== "ended") continue
        const run = this.runOf(row.execution)!
        const activities = this.processes.query<{ name: string; attempt: number; exit: string }>(
          "SELECT name, attempt, exit FROM effect_epilogue_activities WHERE run = ? AND exit IS NOT NULL",
          row.id
        )
        const recorded = new Set(activities.map(({ name }) => name))
        const nth = Number(run.id)
        for (const { attempt, exit, name } of activities) {
          const record = Object(JSON.parse(exit).value)
          if (name.includes("/hook/")) {
            if (record.outcome === "skipped") continue
            // a hook's time may be up when the clock jumps
            const late = record.error?.name === "TimeoutError"
            if (record.outcome !== "ended" && !late) this.problem(`${row.execution} ${name} is recorded as ${exit}`)
            if (!this.told.has(`${row.execution}/${name}`)) this.problem(`${row.execution} ${name} was not told`)
            if (!this.calls.has(`${row.execution} ${name}/1`)) this.problem(`${row.execution} ${name} was not called`)
          }
          for (const { index, kind } of record.pendingHooks ?? []) {
            // an interruption may come first
            if (kind === "retry" && run.asked) continue
            const hook = `${name.replace(/\/end$/, "")}/hook/${kind}/${index}${kind === "retry" ? `/${attempt}` : ""}`
            if (!recorded.has(hook)) this.problem(`${row.execution} ${hook} is lost`)
          }
        }
        const exit = yield* this.exitOf(row.execution)
        if (exit?._tag === "Success") {
          this.checkResults(nth, exit.value)
        } else if (!run.asked) this.problem(`${row.execution} ends with ${JSON.stringify(exit)}`)
        if (!recorded.has("run/hook/exit/0") && recorded.size > 1) {
          this.problem(`${row.execution} has not run its exit hook`)
        }
      }
    })
  }

  private checkResults(nth: number, results: ReadonlyArray<string>): void {
    const got = results.join().split(",")
    for (const [i, [name, leaf]] of leavesOf(this.programs[nth]!).entries()) {
      const result = got[i] ?? ""
      const expected = leaf.kind === "sleep"
        ? [`${name} slept`]
        : leaf.kind === "wait"
        ? [`${name} came`]
        : [
          `${name} ${leaf.failures <= leaf.retries ? "succeeded" : "Bad"}`,
          ...leaf.asks ? [`${name} NotApproved`] : []
        ]
      if (!expected.includes(result)) this.problem(`run ${nth}: ${result} instead of ${expected.join(" or ")}`)
    }
  }

  private exitOf(executionId: string) {
    return Effect.gen({ self: this }, function*() {
      const found: Array<Exit.Exit<ReadonlyArray<string>, unknown>> = []
      const poll = Effect.map(this.workflow.poll(executionId), (polled) => {
        if (Option.isSome(polled) && polled.value._tag === "Complete") found.push(polled.value.exit)
      })
      // the process may die of an earlier order
      for (let tries = 0; tries < 3 && found.length === 0; tries++) yield* this.in(false, poll)
      return found[0]
    })
  }
}

/** Plays a history on a file. Returns what must not have happened. */
export const play = (filename: string, { actions, programs }: History): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23T12:00:00Z"))
    const world = new World(filename, programs)
    return yield* Effect.gen(function*() {
      yield* world.started
      const [first, ...others] = actions
      // a process may die while it submits
      if (first?.do === "kill") yield* world.act(first)
      yield* world.submitted
      yield* world.processes.settled
      for (const action of first?.do === "kill" ? others : actions) yield* world.act(action)
      yield* world.ended
      yield* world.checkEnds
      return [...world.problems]
    }).pipe(Effect.ensuring(world.processes.close))
  }).pipe(Effect.provide(TestClock.layer()))
