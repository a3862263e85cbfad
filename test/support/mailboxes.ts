/** A mailbox around an alerter that answers as a test says, and records what has arrived. */
import { Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import { mailbox, type MailboxOptions } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, AlerterErrorReason, type Severity } from "../../src/index.ts"

/** Makes the error of a channel that says for how many milliseconds it takes nothing. */
export const limited = (retryAfter?: number) =>
  new AlerterError({
    channel: "test",
    reason: AlerterErrorReason.RateLimited(retryAfter === undefined ? {} : { retryAfter: Duration.millis(retryAfter) })
  })

export const named = (title: string, severity: Severity = "error", dedupeKey = title): Alert =>
  Alert.make({ title, severity, dedupeKey })

interface Sent {
  readonly at: number
  readonly title: string
}

/** Opens a mailbox around an alerter that answers as `answer` says, and records what has arrived. */
export const open = (
  options: MailboxOptions = {},
  answer: (alert: Alert, attempt: number) => Effect.Effect<unknown, AlerterError> = () => Effect.void
) =>
  Effect.gen(function*() {
    const sent: Array<Sent> = []
    const alerts: Array<Alert> = []
    let attempts = 0
    const channel = Alerter.layer((alert) =>
      Effect.gen(function*() {
        yield* answer(alert, ++attempts)
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        sent.push({ at: now, title: alert.title })
        alerts.push(alert)
      })
    )
    const scope = yield* Scope.make()
    const { post } = Context.get(yield* Layer.buildWithScope(mailbox(channel, options), scope), Alerter)
    return {
      sent,
      alerts,
      post,
      titles: () => sent.map(({ title }) => title),
      attempts: () => attempts,
      /** Posts without waiting for the delivery. */
      leave: (alert: Alert | string) =>
        Effect.flatMap(
          Effect.forkDetach(post(alert), { startImmediately: true }),
          (fiber) => Effect.sync(() => fiber.interruptUnsafe())
        ),
      close: Scope.close(scope, Exit.void),
      closeWith: (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit)
    }
  })

/** Returns how many alerts a title stands for. */
export const sizeOf = (title: string): number =>
  Number(/^(\d+) alerts/.exec(title)?.[1] ?? 1) + Number(/, and (\d+) more/.exec(title)?.[1] ?? 0)
