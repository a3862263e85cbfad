/** Defines the data that the server sends to the script of the page. */
import type { Status } from "../../Recorded.ts"

/** A run in the list. Times are in milliseconds. */
export interface RunJson {
  readonly id: string
  readonly pipeline: string
  readonly name: string
  readonly status: Status
  /** When it began, since 1970. */
  readonly at: number
  readonly millis: number
  readonly steps: number
  readonly hookFailures: number
}
