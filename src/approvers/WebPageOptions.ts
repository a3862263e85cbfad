/**
 * The options of `WebPage`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Question } from "../Approver.ts"

/**
 * Sets where the page is served, and how people get its link.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebPageOptions<R = never> {
  /**
   * Sends the link to the people who may answer: anybody who has it can. Called once for each of
   * the question's approvers, with their id, or once without. Unless set, prints the link to the
   * console. If it fails, the question fails. The question's timeout begins when all calls have
   * succeeded.
   */
  readonly announce?:
    | ((
      link: Redacted.Redacted<string>,
      question: Question,
      approver: string | undefined
    ) => Effect.Effect<unknown, unknown, R>)
    | undefined
  /** The address to listen on. `"127.0.0.1"` unless set: this machine only. */
  readonly hostname?: string | undefined
  /** The port to listen on. Unless set, any free port. */
  readonly port?: number | undefined
  /** The number of connections that may be open at once; more are dropped. 100 unless set. */
  readonly maxConnections?: number | undefined
  /** The time after which a connection is dropped, whatever it has sent by then. 10 seconds unless set. */
  readonly connectionTimeout?: Duration.Input | undefined
  /** The beginning of links, if people reach the page through a proxy: `"https://approve.example.com/"`. */
  readonly publicUrl?: string | undefined
  /** The time zone of the times on the page. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}
