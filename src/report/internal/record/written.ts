/** Completes the lines of a record by what earlier lines have. */
import { isObject } from "effect/Predicate"
import { maxRefs, type RunNames } from "./format.ts"

/** How many references to runs are remembered. A recorder needs one for each run, until that ends. */
const maxRuns = 10_000

type Values = Readonly<Record<string, unknown>>

/** The names that lines with one reference to a run have given so far. */
interface OfRun {
  readonly names: Values | undefined
  /** Names by the numbers that refer to them. */
  readonly steps: Map<number, Values>
  readonly hooks: Map<number, Values>
}

const namesOfStep = ["stepName", "stepPath"]
const namesOfHook = ["hook", "kind", "level", "hookIndex"]

/** Remembers what the lines of a record have said that later lines only refer to. */
export class Written {
  private readonly runs = new Map<string, OfRun>()

  /**
   * Returns the events of a line, undecoded. `run` are the names in the header. Names that a line refers to and that no
   * earlier one has are missing in the result.
   */
  complete(line: object, run: RunNames | undefined): ReadonlyArray<Values> {
    // the cast: the properties of any object, which are decoded later
    const { hooks, more, run: ref, ...rest } = line as Values
    const ofRun = this.of(ref, rest, run)
    if (rest["_tag"] === "RunEnded" && typeof ref === "string") this.runs.delete(ref)
    const ofHook = named(ofRun.hooks, rest["hookRef"], namesOfHook, rest)
    const event: Values = { ...ofRun.names, ...emptyIn(rest), ...ofStep(ofRun, ofHook) }
    return event["_tag"] === "StepStarted" && event["durationMillis"] !== undefined
      ? withEnds(ofRun, event, hooks, more)
      : [isObject(event["step"]) ? { ...event, step: ofStep(ofRun, event["step"]) } : event]
  }

  private of(ref: unknown, line: Values, header: Values | RunNames | undefined): OfRun {
    const { pipelineName = "", runId, runName = runId } = line
    const names = typeof runId === "string" ? { pipelineName, runId, runName } : { ...header }
    if (typeof ref !== "string") return { names, steps: new Map(), hooks: new Map() }
    const known = this.runs.get(ref)
    if (known !== undefined && typeof runId !== "string") return known
    const made = { names, steps: new Map(), hooks: new Map() }
    this.runs.set(ref, made)
    if (this.runs.size > maxRuns) this.runs.delete(this.runs.keys().next().value!)
    return made
  }
}

const ofStep = ({ steps }: OfRun, values: Values): Values => named(steps, values["stepRef"], namesOfStep, values)

/** Adds the names that a number refers to. Remembers them where the line has them. */
const named = (known: Map<number, Values>, ref: unknown, names: ReadonlyArray<string>, values: Values): Values => {
  if (typeof ref !== "number") return values
  if (names.some((name) => name in values) && known.size < maxRefs) {
    known.set(ref, Object.fromEntries(names.map((name) => [name, values[name]])))
  }
  return { ...known.get(ref), ...values }
}

/** Returns the start and the end of a step, with the ends of its hooks, and the same of the steps that followed it. */
const withEnds = (
  ofRun: OfRun,
  { durationMillis, ...step }: Values,
  hooks: unknown,
  more: unknown
): ReadonlyArray<Values> => {
  const ended = Array.isArray(hooks) ? hooks.map((hook: unknown) => Array.isArray(hook) ? hook : []) : []
  const refs = ended.map(([ref]: ReadonlyArray<unknown>) => ref)
  const first = withEnd(ofRun, step, refs, [durationMillis, ...ended.map(([, millis]) => millis)])
  const { index } = step
  if (!Array.isArray(more) || typeof index !== "number") return first
  const { params: _, ...bare } = step
  const size = 1 + refs.length
  const others = Array.from({ length: Math.floor(more.length / size) }, (_, i) =>
    withEnd(
      ofRun,
      { ...bare, index: index + 1 + i, params: {} },
      refs,
      more.slice(i * size, (i + 1) * size).map((nanos: unknown) => typeof nanos === "number" ? nanos / 1e6 : nanos)
    ))
  return [...first, ...others.flat()]
}

/** `millis` are the durations of a step and of its hooks. */
const withEnd = (
  { hooks, names }: OfRun,
  { params, ...step }: Values,
  refs: ReadonlyArray<unknown>,
  [durationMillis, ...ofHooks]: ReadonlyArray<unknown>
): ReadonlyArray<Values> => [
  { ...step, params },
  { ...step, _tag: "StepEnded", outcome: "success", attempts: 1, durationMillis, annotations: {} },
  // the cast: what is no number refers to no hook
  ...refs.map((ref, i): Values => ({
    ...names,
    _tag: "HookEnded",
    at: step["at"],
    ...hooks.get(ref as number),
    step,
    durationMillis: ofHooks[i]
  }))
]

/** Returns the empty parameters or annotations that a line leaves out. */
const emptyIn = ({ _tag }: Values): Values =>
  _tag === "StepStarted"
    ? { params: {} }
    : _tag === "StepEnded" || _tag === "StepSkipped" || _tag === "RunEnded"
    ? { annotations: {} }
    : {}
