/** Builds the events of invented runs, with exact times. */
import type { Report } from "../../src/report/index.ts"

type Of<Tag extends Report.Event["_tag"]> = Extract<Report.Event, { readonly _tag: Tag }>
type Outcome = Of<"StepEnded">["outcome"]
type StepInfo = Pick<Of<"StepStarted">, "stepName" | "stepPath" | "index" | "parent">

interface HookOptions {
  readonly step?: Step
  readonly kind?: Of<"HookEnded">["kind"]
  readonly level?: Of<"HookEnded">["level"]
  readonly index?: number
}

interface AlertOptions {
  readonly step?: Step
  readonly by?: string
  readonly reason?: string
  readonly severity?: Of<"AlertPosted">["severity"]
  readonly title?: string
}

interface EndOptions {
  readonly cause?: string
  readonly attempts?: number
  readonly annotations?: Readonly<Record<string, unknown>>
}

export class Step {
  readonly run: Run
  readonly info: StepInfo
  readonly at: number

  constructor(run: Run, info: StepInfo, at: number) {
    this.run = run
    this.info = info
    this.at = at
  }

  attemptFailed(at: number, attempt: number, cause: string, delayMillis: number): this {
    this.run.add(at, { _tag: "AttemptFailed", ...this.info, attempt, cause, delayMillis })
    return this
  }

  progress(at: number, done: number, total: number): this {
    this.run.add(at, { _tag: "StepProgress", ...this.info, done, total })
    return this
  }

  end(at: number, outcome: Outcome = "success", { annotations = {}, attempts = 1, cause }: EndOptions = {}): this {
    this.run.add(at, {
      _tag: "StepEnded",
      ...this.info,
      outcome,
      ...(cause === undefined ? {} : { cause }),
      attempts,
      durationMillis: at - this.at,
      annotations
    })
    return this
  }
}

/** Collects the events of a run. They may be added in any order; `events` sorts them. Times are milliseconds from the start. */
export class Run {
  readonly #info: { readonly pipelineName: string; readonly runId: string; readonly runName: string }
  readonly #start: number
  readonly #events: Array<Report.Event> = []
  #steps = 0

  constructor(pipelineName: string, start: number | string, runName = pipelineName) {
    this.#start = typeof start === "string" ? Date.parse(start) : start
    this.#info = { pipelineName, runId: `run-${this.#start}`, runName }
    this.add(0, { _tag: "RunStarted" })
  }

  add(at: number, event: object): void {
    // the cast: each caller passes an event of one kind without the properties that all kinds share
    this.#events.push({ ...event, ...this.#info, at: this.#start + at } as Report.Event)
  }

  step(
    stepName: string,
    at: number,
    options: { readonly in?: Step; readonly params?: Record<string, unknown> } = {}
  ): Step {
    const within = options.in
    const info: StepInfo = {
      stepName,
      stepPath: [...within?.info.stepPath ?? [], stepName],
      index: this.#steps++,
      ...(within === undefined ? {} : { parent: within.info.index })
    }
    this.add(at, { _tag: "StepStarted", ...info, params: options.params ?? {} })
    return new Step(this, info, at)
  }

  #hook(hook: string, { index = 0, kind = "success", level = "step", step }: HookOptions) {
    return { hook, kind, level, hookIndex: index, ...(step === undefined ? {} : { step: step.info }) }
  }

  hookStarted(name: string, at: number, options: HookOptions = {}): this {
    this.add(at, { _tag: "HookStarted", ...this.#hook(name, options) })
    return this
  }

  hookEnded(name: string, at: number, durationMillis: number, options: HookOptions = {}): this {
    this.add(at, { _tag: "HookEnded", ...this.#hook(name, options), durationMillis })
    return this
  }

  hookFailed(name: string, at: number, durationMillis: number, cause: string, options: HookOptions = {}): this {
    this.add(at, { _tag: "HookFailed", ...this.#hook(name, options), durationMillis, cause })
    return this
  }

  /** `posted` is when the alert was posted, `at` when this became of it. */
  alert(id: string, posted: number, at: number, result: Of<"AlertPosted">["result"], options: AlertOptions = {}): this {
    const { by = "slack", reason, severity = "error", step, title = "load failed" } = options
    this.add(at, {
      _tag: "AlertPosted",
      deliveryId: id,
      title,
      severity,
      by,
      result,
      ...(reason === undefined ? {} : { reason }),
      ...(step === undefined ? {} : { step: step.info }),
      postedAt: this.#start + posted
    })
    return this
  }

  hookSkipped(name: string, at: number, options: HookOptions = {}): this {
    this.add(at, { _tag: "HookSkipped", ...this.#hook(name, options) })
    return this
  }

  end(at: number, outcome: Outcome = "success", { annotations = {}, cause }: EndOptions = {}): this {
    this.add(at, {
      _tag: "RunEnded",
      outcome,
      ...(cause === undefined ? {} : { cause }),
      durationMillis: at,
      steps: this.#steps,
      hookFailures: this.#events.filter(({ _tag }) => _tag === "HookFailed").length,
      annotations
    })
    return this
  }

  get events(): ReadonlyArray<Report.Event> {
    return this.#events.toSorted((a, b) => a.at - b.at)
  }
}

const refused = `HttpError: GET https://api.example.com/orders?day=2026-11-02: 503 Service Unavailable
    at fetchOrders (file:///srv/etl/orders.ts:41:13)
    at Generator.next (<anonymous>)`

const badRows = `BadRows: 3 of 48211 rows are bad
    at validate (file:///srv/etl/validate.ts:88:11)
    at Generator.next (<anonymous>) {
  file: "orders.csv",
  rows: [
    "orders.csv:1204: the amount is no number: \\"12,50\\"",
    "orders.csv:1377: the amount is no number: \\"8,00\\"",
    "orders.csv:40112: no such customer: 99817"
  ]
}`

const timedOut = `TimeoutError: Operation timed out after "30 seconds"
    at postToSlack (file:///srv/etl/alerts.ts:12:9)`

/** Makes a run with nested, concurrent and sequential steps, retries, a hook that fails and, unless `fails` is false, a failed step. */
export const nightlyEtl = (start: number | string = "2026-11-02T02:00:00Z", fails = true): Run => {
  const run = new Run("nightly-etl", start, nameOf(start))
  const extract = run.step("extract", 40, { params: { day: "2026-11-02", token: "<redacted>" } })
  const orders = run.step("fetch orders", 60, {
    in: extract,
    params: { url: "https://api.example.com/orders", limit: 500 }
  })
  const weather = run.step("fetch weather", 65, { in: extract })
  const customers = run.step("fetch customers", 70, { in: extract })
  orders.attemptFailed(6200, 1, refused, 2000)
  run.hookEnded("warn", 6320, 100, { step: orders, kind: "retry", level: "pipeline" })
  weather.end(9100, "success", { annotations: { stations: 14 } })
  customers.end(12_400, "success", { annotations: { rows: 9120 } })
  orders.attemptFailed(13_000, 2, refused, 4000)
  run.hookEnded("warn", 13_090, 90, { step: orders, kind: "retry", level: "pipeline" })
  orders.end(31_500, "success", { attempts: 3, annotations: { rows: 48_211, bytes: "18.2 MB" } })
  extract.end(31_600)
  run.hookEnded("measure", 31_980, 360, { step: extract })
  const validate = run.step("validate", 32_000, { params: { strict: true, source: "orders.csv" } })
  const schema = run.step("check schema", 32_100, { in: validate })
  schema.end(36_000)
  const references = run.step("check references", 36_010, { in: validate })
  references.progress(40_000, 20_000, 48_211)
  if (fails) {
    references.end(47_300, "failure", { cause: badRows, annotations: { bad: 3, of: 48_211 } })
    run.hookSkipped("on HttpError", 47_310, { step: references, kind: "failure" })
    run.hookEnded("write report", 48_600, 1200, { step: references, kind: "failure", index: 1 })
    validate.end(48_700, "failure", { cause: badRows })
    run.hookFailed("alert on Slack", 78_700, 30_000, timedOut, { step: validate, kind: "failure", level: "pipeline" })
    run.hookEnded("alert by mail", 79_900, 1100, { step: validate, kind: "failure", level: "pipeline", index: 1 })
    const cleanup = run.step("clean up", 80_000)
    cleanup.end(82_400)
    run.hookEnded("tell of the failure", 84_000, 1500, { kind: "failure" })
    return run.end(84_100, "failure", { cause: badRows, annotations: { day: "2026-11-02" } })
  }
  references.end(47_300)
  validate.end(47_400)
  const load = run.step("load", 47_500)
  const tables = ["orders", "customers", "weather"].map((table, index) =>
    run.step(`write ${table}`, 47_600 + index * 50, { in: load, params: { table } })
  )
  for (const [index, table] of tables.entries()) table.end(58_000 - index * 3100)
  load.end(58_100)
  run.hookFailed("alert on Slack", 88_100, 30_000, timedOut, { step: load, level: "pipeline" })
  run.hookEnded("tell of the success", 89_000, 800)
  return run.end(89_100, "success", { annotations: { rows: 48_211 } })
}

/** Makes a run that was killed: a step waits for its retry, another is running, and a hook has started. */
export const cutOff = (start: number | string = "2026-11-03T02:00:00Z"): Run => {
  const run = new Run("nightly-etl", start, nameOf(start))
  const extract = run.step("extract", 30)
  const orders = run.step("fetch orders", 60, { in: extract })
  const weather = run.step("fetch weather", 70, { in: extract })
  run.step("fetch customers", 80, { in: extract }).end(8000, "interrupt", { cause: "InterruptError" })
  orders.attemptFailed(5000, 1, refused, 2000)
  weather.progress(15_000, 7, 14)
  run.hookStarted("measure", 16_000, { step: extract, kind: "start" })
  return run
}

/** Makes a run of `count` steps in groups of ten, of which some fail, some are retried and some have hooks. */
export const manySteps = (count: number): Run => {
  const run = new Run("backfill", "2026-11-02T02:00:00Z")
  let group: Step | undefined
  let groupEnd = 0
  for (let n = 0; n < count; n++) {
    const at = n * 137
    if (n % 10 === 0) {
      group?.end(groupEnd)
      group = run.step(`day ${n / 10}`, at)
      groupEnd = at
      continue
    }
    const step = run.step(`part ${n % 10} of day ${Math.floor(n / 10)}`, at, {
      ...(group === undefined ? {} : { in: group }),
      params: { n }
    })
    const length = 300 + (n * 7919) % 4001
    groupEnd = Math.max(groupEnd, at + length)
    if (n % 31 === 0) step.attemptFailed(at + length / 4, 1, refused, length / 8)
    if (n % 97 === 0) {
      step.end(at + length, "failure", { cause: badRows, attempts: n % 31 === 0 ? 2 : 1 })
      run.hookEnded("alert", at + length + 80, 80, { step, kind: "failure" })
    } else step.end(at + length, "success", { attempts: n % 31 === 0 ? 2 : 1 })
    if (n % 13 === 0) run.hookEnded("measure", at + length + 20, 15, { step })
  }
  group?.end(groupEnd)
  return run.end(groupEnd + 100)
}

const nameOf = (start: number | string): string => new Date(start).toISOString().slice(0, 10)
