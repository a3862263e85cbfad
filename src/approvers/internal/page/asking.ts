/** Asks questions on pages, and makes decisions of the submitted forms. */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { Approver, Decision, type Form, type Person, type Question } from "../../../Approver.ts"
import { calledFrom, failWith } from "../../../internal/alerts/alerter.ts"
import { zoneMistakes } from "../../../internal/alerts/zone.ts"
import { fieldsOf, filledIn, type Texts } from "../../../internal/approvals/form.ts"
import { labels, mistake } from "../../../internal/approvals/question.ts"
import { checked, type Known, optionalText } from "../../../internal/model/options.ts"
import { clean, fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { printableLine } from "../../../internal/text/printable.ts"
import { type Scrub, scrubber } from "../../../internal/text/secrets.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { WebPageOptions } from "../../WebPageOptions.ts"
import { inputName, limits, messagePage, questionPage, type Submitted } from "./html.ts"
import { channel, type Page, type Reply, type Server, start } from "./server.ts"

type Announce<R> = NonNullable<WebPageOptions<R>["announce"]>

/** A question that has been asked. */
interface Asked {
  /** Without body and fields once it is settled: its page is kept for much longer. */
  question: Question
  readonly clock: Clock.Clock
  readonly time: (at: DateTime.DateTime) => string
  /** When it times out, in milliseconds of the clock. `undefined` until everybody has the link. */
  deadline: number | undefined
  outcome: Decision | "withdrawn" | undefined
  readonly decision: Deferred.Deferred<Decision>
  /** Completed when the page with the confirmation has been sent. */
  readonly told: Deferred.Deferred<void>
}

/** The number of pages of settled questions that are kept. */
const maxSettled = 1000

const known: Known<WebPageOptions<unknown>> = {
  announce: 0,
  hostname: optionalText,
  port: 0,
  maxConnections: 0,
  connectionTimeout: 0,
  publicUrl: optionalText,
  timeZone: zoneMistakes
}

/** @internal */
export const layer = <R>(options: WebPageOptions<R>): Layer.Layer<Approver, AlerterError, R> =>
  Layer.effect(
    Approver,
    Effect.gen(function*() {
      checked<WebPageOptions<unknown>>(channel, options, known)
      const context = yield* Effect.context<R>()
      const server = yield* start(options)
      const stopped = Deferred.makeUnsafe<never, AlerterError>()
      yield* Effect.addFinalizer(() =>
        Deferred.fail(
          stopped,
          new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({ detail: "the server has stopped" }) })
        )
      )
      const zone = options.timeZone ?? DateTime.zoneMakeLocal()
      const ask = asking(server, (at) => localTime(at, zone), options.announce ?? print, context)
      return Approver.of({
        takesValues: true,
        ask: (question) => {
          const wrong = mistake(question)
          return wrong === undefined
            ? Effect.raceFirst(ask(question), Deferred.await(stopped))
            : Effect.fail(new AlerterError({ channel, reason: AlerterErrorReason.InvalidAlert({ detail: wrong }) }))
        }
      })
    })
  )

/** Prints the link. No other place shows it. */
const print: Announce<never> = (link, { title }, approver) =>
  Writer.print(
    printableLine(
      `${title.trim()} ${approver === undefined ? "Answer" : `${approver.trim()} answers`} at ${Redacted.value(link)}`
    )
  )

const asking = <R>(
  server: Server,
  time: Asked["time"],
  announce: Announce<R>,
  context: Context.Context<R>
): Approver.Shape["ask"] => {
  const settled: Array<() => void> = []
  const forget = (remove: () => void) => {
    settled.push(remove)
    if (settled.length > maxSettled) settled.shift()?.()
  }
  return (question) =>
    Effect.acquireUseRelease(
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          const asked: Asked = {
            question,
            clock,
            time,
            deadline: undefined,
            outcome: undefined,
            decision: Deferred.makeUnsafe(),
            told: Deferred.makeUnsafe()
          }
          const approvers = [...new Set<string | undefined>(question.approvers ?? [undefined])]
          const links = approvers.map((approver) => ({ approver, ...server.add(pageOf(asked, approver)) }))
          return { asked, links }
        })
      ),
      ({ asked, links }) => {
        const scrub = scrubber(links.flatMap(({ link, token }) => [link, token]))
        const announcing = Effect.forEach(
          links,
          ({ approver, link }) => announce(Redacted.make(link, { label: "approval link" }), question, approver),
          { concurrency: "unbounded", discard: true }
        ).pipe(Effect.updateContext(calledFrom(context)), Effect.catchCause((cause) => notAnnounced(cause, scrub)))
        // an answer counts even while the link is still being sent to others
        return Effect.raceFirst(Deferred.await(asked.decision), Effect.andThen(announcing, timeOut(asked)))
      },
      ({ asked, links }) =>
        Effect.suspend(() => {
          links.forEach(({ remove }) => forget(remove))
          asked.question = { ...asked.question, body: undefined, fields: undefined }
          if (settle(asked, "withdrawn") || asked.outcome === "withdrawn" || asked.outcome?._tag === "TimedOut") {
            return Effect.void
          }
          // lets the confirmation be sent: the script may end now, and the server with it
          return Effect.timeoutOption(Deferred.await(asked.told), "1 second")
        })
    )
}

const notAnnounced = (cause: Parameters<typeof failWith>[0], scrub: Scrub): Effect.Effect<never, AlerterError> =>
  Effect.mapError(
    failWith(
      cause,
      (detail) => new AlerterError({ channel, reason: AlerterErrorReason.Rejected({ detail }) })
    ),
    (error) => {
      const { reason } = error
      // URLs were removed from the message, but it may contain the token by itself
      return "detail" in reason && reason.detail !== undefined
        ? new AlerterError({ channel: error.channel, reason: { ...reason, detail: scrub(reason.detail) } })
        : error
    }
  )

const timeOut = (asked: Asked): Effect.Effect<Decision> =>
  Effect.gen(function*() {
    const duration = Duration.fromInputUnsafe(asked.question.timeout)
    asked.deadline = asked.clock.currentTimeMillisUnsafe() + Duration.toMillis(duration)
    yield* Effect.sleep(duration)
    settle(asked, Decision.TimedOut({ at: now(asked) }))
    return yield* Deferred.await(asked.decision)
  })

const now = ({ clock }: Asked): DateTime.Utc => DateTime.makeUnsafe(clock.currentTimeMillisUnsafe())

/** Settles the question, if it is not settled yet. Returns whether it did. */
const settle = (asked: Asked, outcome: Decision | "withdrawn"): boolean => {
  if (asked.outcome !== undefined) return false
  asked.outcome = outcome
  if (outcome !== "withdrawn") Deferred.doneUnsafe(asked.decision, Effect.succeed(outcome))
  return true
}

// -----------------------------------------------------------------------------
// the pages
// -----------------------------------------------------------------------------

const pageOf = (asked: Asked, approver: string | undefined): Page => ({
  show: () => isOver(asked) ? gone(asked) : { status: 200, html: formPage(asked, approver) },
  submit: async (form) => {
    const answer = form.get("answer")
    if (answer !== "approve" && answer !== "deny") {
      return { status: 400, html: messagePage("That is neither of the two answers") }
    }
    const { values: ofQuestion } = asked.question
    const texts = ofQuestion === undefined ? {} : textsIn(ofQuestion, form)
    const read = ofQuestion === undefined || answer === "deny"
      ? undefined
      : await Effect.runPromise(filledIn(ofQuestion, texts))
    // also of what was submitted while the values were checked
    if (isOver(asked)) return gone(asked, "Your answer was not counted.")
    if (read?.mistakes !== undefined) {
      const [name, comment] = [form.get("name") ?? "", form.get("comment") ?? ""]
      return { status: 422, html: formPage(asked, approver, { texts, name, comment, mistakes: read.mistakes }) }
    }
    const values = read === undefined ? {} : { values: read.values }
    const name = approver ?? (fitEnd(oneLine(form.get("name") ?? ""), limits.name) || "local")
    const by: Person = { id: approver ?? "local", name }
    const comment = fitEnd(clean(form.get("comment") ?? "").trim(), limits.comment) || undefined
    settle(asked, Decision[answer === "approve" ? "Approved" : "Denied"]({ by, at: now(asked), comment, ...values }))
    return {
      status: 200,
      html: messagePage(`Your answer: ${labels(asked.question)[answer]}`, "It counts. You can close this page now."),
      sent: () => void Deferred.doneUnsafe(asked.told, Effect.void)
    }
  }
})

const formPage = (asked: Asked, approver: string | undefined, submitted?: Submitted): string => {
  const { clock, question, time } = asked
  const from = clock.currentTimeMillisUnsafe()
  const deadline = asked.deadline ?? from + Duration.toMillis(question.timeout)
  // none if the timeout is infinite, or ends after the last date that there is
  const until = DateTime.make(deadline)
  const left = until._tag === "None" ? undefined : { millis: deadline - from, until: time(until.value) }
  return questionPage({ question, approver, left, submitted })
}

const textsIn = (form: Form, submitted: URLSearchParams): Texts =>
  Object.fromEntries(fieldsOf(form).map(({ name }) => [name, submitted.get(inputName(name)) ?? undefined]))

/** Whether the question is over. Also compares the time, since the timeout's fiber may run late. */
const isOver = ({ clock, deadline, outcome }: Asked): boolean =>
  outcome !== undefined || (deadline !== undefined && clock.currentTimeMillisUnsafe() >= deadline)

const gone = (asked: Asked, ...more: ReadonlyArray<string>): Reply => ({
  status: 410,
  html: messagePage("This question is closed", happened(asked), ...more)
})

const happened = ({ outcome, question, time }: Asked): string => {
  if (outcome === "withdrawn") return "Whoever asked has stopped waiting for an answer."
  if (outcome === undefined || outcome._tag === "TimedOut") return "Nobody answered in time."
  const answer = labels(question)[outcome._tag === "Approved" ? "approve" : "deny"]
  return `${outcome.by.name} answered “${answer}” on ${time(outcome.at)}.`
}
