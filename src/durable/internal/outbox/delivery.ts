/** Follows one alert through the alerter inside of an outbox, until that has delivered it or will not. */
import type * as Alert from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import type { Ledger, Taken } from "../../../internal/alerts/ledger.ts"

/** How an alert has ended. A store that keeps it answers for it. */
export type Ended = { readonly _tag: "Arrived" } | { readonly _tag: "Lost"; readonly error: AlerterError }

/** The ledger of one post. */
export class Delivery implements Ledger {
  /** How many have taken the alert, such as a digest that holds it, and have not settled it. */
  private holding = 0
  private isPosted = false
  private error: AlerterError | undefined
  private isReleased = false
  private readonly onEnd: (ended: Ended) => void

  constructor(onEnd: (ended: Ended) => void) {
    this.onEnd = onEnd
  }

  /** Says that the alert waits for another process: what becomes of it in this one does not count. */
  release(): void {
    this.isReleased = true
  }

  accepted(_alert: Alert.Alert, _by: string): Taken {
    let isOpen = true
    this.holding++
    const settle = (error?: AlerterError) => {
      if (!isOpen) return
      isOpen = false
      this.holding--
      this.error ??= error
      this.check()
    }
    return { delivered: () => settle(), kept: () => settle(), lost: settle }
  }

  lost(_alert: Alert.Alert, error: AlerterError): void {
    this.error ??= error
    this.check()
  }

  /** Says that the post has succeeded. Errors until then were its own affair. */
  posted(): void {
    this.isPosted = true
    this.error = undefined
    this.check()
  }

  private check(): void {
    if (!this.isPosted || this.isReleased || this.holding > 0) return
    // once
    this.isPosted = false
    this.onEnd(this.error === undefined ? { _tag: "Arrived" } : { _tag: "Lost", error: this.error })
  }
}
