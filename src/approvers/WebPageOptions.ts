/**
 * The options of `WebPage`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Question } from "../Approver.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface WebPageOptions<R = never> {
  /**
   * Brings the link to whoever is to answer: whoever has it may. Called once for each
   * of the question's approvers, with their id, or once without. Prints the link to the
   * console unless set. If it fails, so does the question. The time to answer begins
   * when everybody has been told.
   */
  readonly announce?:
    | ((
      link: Redacted.Redacted<string>,
      question: Question,
      approver: string | undefined
    ) => Effect.Effect<unknown, unknown, R>)
    | undefined
  /** Where to listen. `"127.0.0.1"` unless set: this machine only. */
  readonly hostname?: string | undefined
  /** Any that is free unless set. */
  readonly port?: number | undefined
  /** What links begin with, where people reach the page through a proxy: `"https://approve.example.com/"`. */
  readonly publicUrl?: string | undefined
  /** In which times are shown. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}
