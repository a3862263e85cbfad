/** Estimates from a step's progress how fast it is and how long it will take. */
import { formatDuration } from "../../../internal/text/duration.ts"

interface Sample {
  readonly done: number
  readonly at: number
}

/**
 * How many samples the rate is measured over, and how far apart they are, in milliseconds: enough for a steady number,
 * and few enough to follow a rate that changes.
 */
const maxSamples = 16
const apart = 1000

/** How long a body may report nothing, in milliseconds, before its rate is taken to fall. */
const patience = 1000

/** The progress of one attempt. Keeps the samples of the last seconds, however often progress is reported. */
export class Rate {
  done = 0
  total: number | undefined
  readonly #samples: Array<Sample> = []
  #at = 0

  tell(done: number, total: number | undefined, at: number): void {
    this.done = Number.isFinite(done) ? done : 0
    this.total = total !== undefined && Number.isFinite(total) && total > 0 ? total : undefined
    this.#at = at
    const last = this.#samples.at(-1)
    if (last !== undefined && at - last.at < apart) return
    // The first report counts as the start: a resumed body begins with what another process has done.
    this.#samples.push({ done: this.done, at })
    if (this.#samples.length > maxSamples) this.#samples.shift()
  }

  /** The part that is done, between 0 and 1. `undefined` without a total. */
  get part(): number | undefined {
    return this.total === undefined ? undefined : Math.min(1, Math.max(0, this.done / this.total))
  }

  /** Returns the rate, or `undefined` in the first half second and where nothing moves. */
  perSecond(now: number): number | undefined {
    const [first] = this.#samples
    if (first === undefined) return undefined
    const millis = Math.max(this.#at, now - patience) - first.at
    const rate = millis < 500 ? 0 : (this.done - first.done) / millis * 1000
    return rate > 0 ? rate : undefined
  }

  millisLeft(now: number): number | undefined {
    const rate = this.perSecond(now)
    if (this.total === undefined || rate === undefined || this.done >= this.total) return undefined
    return (this.total - this.done) / rate * 1000
  }
}

const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })

/** Formats progress, as in `40%  400/1,000  20/s  30 s left`. */
export const rateText = (rate: Rate, now: number): string => {
  const perSecond = rate.perSecond(now)
  const left = rate.millisLeft(now)
  const { done, part, total } = rate
  return [
    ...(part === undefined ? [] : [`${Math.floor(part * 100)}%`]),
    total === undefined ? exact.format(done) : `${exact.format(done)}/${exact.format(total)}`,
    ...(perSecond === undefined ? [] : [`${compact.format(perSecond)}/s`]),
    ...(left === undefined ? [] : [`${formatDuration(Math.ceil(left / 1000) * 1000)} left`])
  ].join("  ")
}

/** Returns the full and the empty part of a bar. */
export const bar = (part: number, columns: number): readonly [full: string, empty: string] => {
  const full = Math.floor(part * columns)
  return ["█".repeat(full), "░".repeat(columns - full)]
}
