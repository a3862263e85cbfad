/** The data of an evaluation that most evaluations never need. */
import type { Lateness } from "../model/occurrence.ts"

/** The fields of such data, in an object of their own, which makes an evaluation cheaper than fields of it would. */
export interface Details {
  path: ReadonlyArray<string> | undefined
  labels: ReadonlyArray<string> | undefined
  params: Readonly<Record<string, unknown>> | undefined
  notes: Readonly<Record<string, unknown>> | undefined
  attemptFrom: number | undefined
  /** The start of the body in milliseconds, where start hooks, an approval or slow observers came before it. */
  bodyMillis: number | undefined
  /** The same on the monotonic clock, and before an approval, where observers are told. */
  bodyNanos: number | undefined
  lateness: Lateness | undefined
}

/** Returns details without any. */
export const noDetails = (): Details => ({
  path: undefined,
  labels: undefined,
  params: undefined,
  notes: undefined,
  attemptFrom: undefined,
  bodyMillis: undefined,
  bodyNanos: undefined,
  lateness: undefined
})
