/** Programs of runs whose bodies and hooks say when they run, and are found out where they must not. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { Approval, Durable } from "../../../../src/durable/index.ts"
import { type Alert, Alerter, Pipeline, RunEvent, Step, StepContext } from "../../../../src/index.ts"
import { Bad, tokenIn } from "../engine.ts"
import type { History, Leaf, Part, StepPart } from "./histories.ts"
import { type Process, Processes } from "./processes.ts"

/** A call of a body or of a hook. */
interface Call {
  readonly process: Process
  state: "running" | "ended" | "interrupted"
}

/** What is known of a run outside of the database. */
export interface Run {
  readonly id: string
  executionId: string | undefined
  /** Whether its interruption is known to be recorded. */
  interrupted: boolean
  /** Whether somebody may have asked for an interruption. */
  asked: boolean
}

interface Told {
  readonly alert: Alert
  readonly process: Process
}

/** What a program waits for, until it is completed from outside. */
export const wait = (name: string) => DurableDeferred.make(`wait/${name}`, { success: Schema.String })

/** The programs of the runs, and what their processes have told. */
export class Programs {
  readonly processes: Processes
  readonly programs: History["programs"]
  readonly runs: ReadonlyArray<Run>
  readonly problems = new Set<string>()
  readonly calls = new Map<string, Array<Call>>()
  readonly told = new Map<string, Array<Told>>()
  readonly events = new Map<string, number>()
  /** The tokens of all questions. */
  readonly tokens: Array<string> = []

  constructor(filename: string, programs: History["programs"]) {
    this.processes = new Processes(filename)
    this.programs = programs
    this.runs = programs.map((_, nth) => ({ id: `${nth}`, executionId: undefined, interrupted: false, asked: false }))
  }

  problem(text: string): void {
    this.problems.add(text)
  }

  runOf(executionId: string): Run | undefined {
    return this.runs.find((run) => run.executionId === executionId)
  }

  // ---------------------------------------------------------------------------
  // what runs in a process
  // ---------------------------------------------------------------------------

  /** A call of a body or a hook, whose activity has a name and an attempt. It takes some time. */
  call(process: Process, activity: string, attempt: number, millis: number): Effect.Effect<void, never, StepContext> {
    return Effect.gen({ self: this }, function*() {
      yield* this.processes.alive(process)
      const { runId } = yield* StepContext
      const key = `${runId} ${activity}/${attempt}`
      const calls = this.calls.get(key) ?? []
      this.calls.set(key, calls)
      const recorded = this.processes.query(
        `SELECT 1 FROM effect_epilogue_activities a JOIN effect_epilogue_runs r ON r.id = a.run
         WHERE r.execution = ? AND a.name = ? AND a.attempt = ? AND a.exit IS NOT NULL`,
        runId,
        activity,
        attempt
      )
      if (recorded.length > 0) this.problem(`${key} runs again though it is recorded`)
      if (calls.some((call) => call.process === process && call.state !== "interrupted")) {
        this.problem(`${key} runs twice in one process`)
      }
      const run = this.runOf(runId)
      if (run?.interrupted === true && !activity.includes("/hook/")) this.problem(`${key} runs after the interruption`)
      const call: Call = { process, state: "running" }
      calls.push(call)
      yield* Effect.onInterrupt(
        Effect.andThen(millis > 0 ? Effect.sleep(millis) : Effect.yieldNow, this.processes.alive(process)),
        () => Effect.andThen(this.processes.alive(process), Effect.sync(() => void (call.state = "interrupted")))
      )
      call.state = "ended"
    })
  }

  private hook(
    process: Process,
    name: string,
    kind: string,
    { hooksTake }: Pick<StepPart, "hooksTake">,
    attempt?: number
  ) {
    const activity = `${name}/hook/${kind}/0${attempt === undefined ? "" : `/${attempt}`}`
    return Effect.gen({ self: this }, function*() {
      yield* (yield* Alerter).post(`${activity} is told`)
      yield* this.call(process, activity, 1, hooksTake)
    })
  }

  private step(process: Process, name: string, part: StepPart) {
    const path = `step/${name}`
    const { asks, delay, failures, retries, startHook, takes } = part
    const body = Effect.gen({ self: this }, function*() {
      const { attempt } = yield* StepContext
      yield* this.call(process, path, attempt, takes)
      return attempt <= failures ? yield* new Bad({ n: attempt }) : `${name} succeeded`
    })
    const hook = (kind: string, attempt?: number) => this.hook(process, path, kind, part, attempt)
    const named = Step.make(name, body).pipe(
      Step.onSuccess(() => hook("success")),
      Step.onFailure(() => hook("failure")),
      Step.onInterrupt(() => hook("interrupt")),
      Step.onExit(() => hook("exit")),
      Step.onRetry(({ attempt }) => hook("retry", attempt))
    )
    const started = startHook ? Step.onStart(named, hook("start")) : named
    const retried = Step.retry(started, { times: retries, schedule: Schedule.spaced(delay) })
    const stored = { success: Schema.String, error: Bad }
    const durable = asks
      ? Durable.step(Step.requireApproval(retried, { title: name, timeout: "1 day" }), stored)
      : Durable.step(retried, stored)
    return Effect.catch(durable, (error) => Effect.succeed(`${name} ${error._tag}`))
  }

  private leaf(process: Process, name: string, leaf: Leaf) {
    switch (leaf.kind) {
      case "step":
        return this.step(process, name, leaf)
      case "sleep":
        return Effect.as(
          DurableClock.sleep({ name, duration: leaf.millis, inMemoryThreshold: 0 }),
          `${name} slept`
        )
      case "wait":
        return DurableDeferred.await(wait(name))
    }
  }

  private part(process: Process, name: string, part: Part) {
    if (part.kind !== "all") return this.leaf(process, name, part)
    const parts = part.parts.map((leaf, i) => this.leaf(process, `${name}.${i}`, leaf))
    return Effect.map(Effect.all(parts, { concurrency: "unbounded" }), (results) => results.join())
  }

  readonly job = (process: Process) =>
    Durable.pipeline("model", {
      payload: { id: Schema.String },
      success: Schema.Array(Schema.String),
      error: Bad,
      // what happens after many crashes is tested elsewhere
      crashes: Infinity,
      idempotencyKey: ({ id }) => id
    }, ({ id }) =>
      Pipeline.make(
        "model",
        Effect.forEach(this.programs[Number(id)]!, (part, i) => this.part(process, `${i}`, part))
      ).pipe(
        Pipeline.onStart(this.hook(process, "run", "start", { hooksTake: 0 })),
        Pipeline.onSuccess(() => this.hook(process, "run", "success", { hooksTake: 0 })),
        Pipeline.onInterrupt(() => this.hook(process, "run", "interrupt", { hooksTake: 0 })),
        Pipeline.onExit(() => this.hook(process, "run", "exit", { hooksTake: 500 }))
      ))

  readonly pipelines = (process: Process) => {
    const alerter = Alerter.layer((alert) =>
      Effect.andThen(
        this.processes.alive(process),
        Effect.sync(() => {
          const key = alert.idempotencyKey ?? ""
          this.told.set(key, [...this.told.get(key) ?? [], { alert, process }])
          const token = tokenIn(alert)
          if (token !== undefined && !this.tokens.includes(token)) this.tokens.push(token)
        })
      )
    )
    const observer = RunEvent.layer((event) => {
      if (process.dead || !("stepName" in event) || !event._tag.startsWith("Step")) return
      const about = `${event._tag} ${event.stepName} of ${event.runId}`
      const key = event._tag === "StepStarted" ? `${about} in process ${process.nth}` : about
      const times = (this.events.get(key) ?? 0) + 1
      this.events.set(key, times)
      if (times > 1) this.problem(`${key} was told ${times} times`)
    })
    return this.job(process).layer.pipe(
      Layer.provide(Approval.layer()),
      Layer.provide([alerter, observer])
    )
  }
}
