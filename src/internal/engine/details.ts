/** The data of an evaluation that most evaluations never need. */
import type { Lateness } from "../model/occurrence.ts"

/** The fields of such data, in an object of their own, which makes an evaluation cheaper than fields of it would. */
export interface Details {
  path: ReadonlyArray<string> | undefined
  labels: ReadonlyArray<string> | undefined
  params: Readonly<Record<string, unknown>> | undefined
  notes: Readonly<Record<string, unknown>> | undefined
  attemptFrom: number | undefined
  /** The start of the body in milliseconds, where start hooks or an approval came before it. */
  bodyMillis: number | undefined
  /** The end of the body on the monotonic clock, where what follows may have waited for an overdue hook. */
  endedNanos: number | undefined
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
  endedNanos: undefined,
  lateness: undefined
})
