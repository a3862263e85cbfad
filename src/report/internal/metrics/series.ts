/** The series of metrics: one for each set of labels. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/** @internal */
export type Labels = Metric.Metric.AttributeSet

/**
 * How many series a metric may have. All further ones are counted as `overflow`, as in the SDKs of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits).
 */
export const maxSeries = 2000

const overflow: Labels = { "otel.metric.overflow": "true" }

/** Becomes the unit in OTLP. Prometheus' text leaves it out. */
const seconds: Labels = { unit: "seconds" }

/** A registry of metrics, as series see it. */
export class Registry {
  readonly context: Context.Context<never>
  /** Counts the milliseconds in which series were changed. A small integer, which is compared faster than a time. */
  epoch = 0
  private at = NaN

  constructor(context: Context.Context<never>) {
    this.context = context
  }

  /** Notes the time of an event, in milliseconds, before its series are changed. */
  turnTo(at: number): void {
    if (this.at === at) return
    this.at = at
    this.epoch++
  }
}

/** The numbers of a series, which its registry reads when metrics are read. */
interface Numbers<State> {
  readonly state: () => State
}

/** The numbers that were read last. Those of another layer with the same registry are found by it. */
let readLast: unknown

/**
 * A series of a metric. It keeps its numbers itself, since effect looks a series up at each change, which takes longer
 * than to count.
 */
export abstract class Series<State, N extends Numbers<State>> {
  private readonly metric: Metric.Metric<number, State>
  private readonly registry: Registry
  protected numbers: N
  private foundIn: number

  constructor(metric: Metric.Metric<number, State>, registry: Registry) {
    this.metric = metric
    this.registry = registry
    this.foundIn = registry.epoch
    this.numbers = this.find()
  }

  protected abstract from(state: State): N

  protected abstract isOurs(numbers: unknown): numbers is N

  /** Finds the numbers anew in each millisecond in which they are changed: the series may have been removed. */
  protected look(): void {
    const { epoch } = this.registry
    if (this.foundIn === epoch) return
    this.foundIn = epoch
    this.numbers = this.find()
  }

  private find(): N {
    const { metric, registry: { context } } = this
    readLast = undefined
    const state = metric.valueUnsafe(context)
    if (this.isOurs(readLast)) return readLast
    const numbers = this.from(state)
    const get = () => {
      readLast = numbers
      return numbers.state()
    }
    Metric.registerUnsafe(metric, context, { get, update: () => {}, modify: () => {} })
    return numbers
  }
}

class Count implements Numbers<Metric.CounterState<number>> {
  count: number
  constructor(count: number) {
    this.count = count
  }
  state(): Metric.CounterState<number> {
    return { count: this.count, incremental: true }
  }
}

/** @internal */
export class Counter extends Series<Metric.CounterState<number>, Count> {
  protected from({ count }: Metric.CounterState<number>): Count {
    return new Count(count)
  }
  protected isOurs(numbers: unknown): numbers is Count {
    return numbers instanceof Count
  }
  increment(): void {
    this.look()
    this.numbers.count++
  }
}

class Level implements Numbers<Metric.GaugeState<number>> {
  value: number
  constructor(value: number) {
    this.value = value
  }
  state(): Metric.GaugeState<number> {
    return { value: this.value }
  }
}

/** @internal */
export class Gauge extends Series<Metric.GaugeState<number>, Level> {
  protected from({ value }: Metric.GaugeState<number>): Level {
    return new Level(value)
  }
  protected isOurs(numbers: unknown): numbers is Level {
    return numbers instanceof Level
  }
  add(value: number): void {
    this.look()
    this.numbers.value += value
  }
}

class Distribution implements Numbers<Metric.HistogramState> {
  readonly boundaries: Float64Array
  /** How many values are in each bucket alone. The last one is beyond all boundaries. */
  readonly counts: Float64Array
  count: number
  sum: number
  min: number
  max: number

  constructor({ buckets, count, max, min, sum }: Metric.HistogramState) {
    this.boundaries = Float64Array.from(buckets, ([boundary]) => boundary)
    const upTo = [...buckets.map(([, upTo]) => upTo), count]
    this.counts = Float64Array.from(upTo, (n, i) => n - (upTo[i - 1] ?? 0))
    this.count = count
    this.sum = sum
    this.min = min
    this.max = max
  }

  observe(value: number): void {
    const { boundaries, counts } = this
    let bucket = 0
    // most values are among the least
    while (bucket < boundaries.length && !(value <= boundaries[bucket]!)) bucket++
    counts[bucket]!++
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  state(): Metric.HistogramState {
    const { boundaries, count, counts, max, min, sum } = this
    let upTo = 0
    const buckets = Array.from(boundaries, (boundary, i): [number, number] => [boundary, upTo += counts[i]!])
    return { buckets, count, min, max, sum }
  }
}

/** @internal */
export class Histogram extends Series<Metric.HistogramState, Distribution> {
  protected from(state: Metric.HistogramState): Distribution {
    return new Distribution(state)
  }
  protected isOurs(numbers: unknown): numbers is Distribution {
    return numbers instanceof Distribution
  }
  observe(value: number): void {
    this.look()
    this.numbers.observe(value)
  }
}

/** Returns the series of a set of labels. */
export type Instrument<S> = (labels: Labels) => S

const instrument = <S>(make: (attributes: Labels) => S): Instrument<S> => {
  // kept, since making one costs more than updating it, and so that they can be counted
  const all = new Map<string, S>()
  const of = (labels: Labels): S => {
    const key = Object.values(labels).join("\u0000")
    const known = all.get(key)
    if (known !== undefined) return known
    if (all.size >= maxSeries && labels !== overflow) return of(overflow)
    const made = make(labels)
    all.set(key, made)
    return made
  }
  return of
}

/** @internal */
export const counter = (registry: Registry, id: string, description: string): Instrument<Counter> =>
  instrument((attributes) => new Counter(Metric.counter(id, { description, attributes, incremental: true }), registry))

/** @internal */
export const gauge = (
  registry: Registry,
  id: string,
  description: string,
  unit: string
): Instrument<Gauge> =>
  // without a unit, OTLP's readers may take the gauge for a ratio
  instrument((attributes) =>
    new Gauge(Metric.gauge(id, { description, attributes: { ...attributes, unit } }), registry)
  )

/** @internal */
export const histogram = (
  registry: Registry,
  id: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Instrument<Histogram> =>
  instrument((attributes) =>
    new Histogram(
      Metric.histogram(id, { description, attributes: { ...attributes, ...seconds }, boundaries }),
      registry
    )
  )
