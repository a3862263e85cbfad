/**
 * A question to whoever sits at the terminal in which the script runs.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import * as Terminal from "effect/Terminal"
import { AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { Approver, Decision, type Question } from "../Approver.ts"
import { isDoubtful, labels, labelsShown, mayAnswer, now } from "../internal/approvals/question.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../internal/text/fit.ts"
import { localTime } from "../internal/text/localTime.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface TerminalPromptOptions {
  /**
   * Who sits there, as in a question's `approvers`. What the environment says unless
   * set: `USER`, or `USERNAME` on Windows, and `"local"` where there is neither.
   */
  readonly user?: string | undefined
}

/**
 * Asks in the terminal and reads a line: what the question calls the answer, or `y`,
 * `yes`, `n`, `no`, in capitals or not; what follows in the line is the comment.
 * Anything else is asked again. Several questions are asked one after another, and the
 * time of each runs from when it was asked for.
 *
 * A line that comes within 300 milliseconds of its question is no answer to it: it was
 * typed before, or comes from a pipe. Where there is no terminal, or it is closed
 * (Ctrl-D), the question fails, and so it does at once where the user is none of its
 * `approvers`. The user's name is as good as the environment that it is taken from.
 *
 * It is not resumable: a question ends with the process at whose terminal it is.
 *
 * @example
 * ```ts
 * import { Approver } from "effect-epilogue"
 * import { TerminalPrompt } from "effect-epilogue/approvers"
 * import { Effect } from "effect"
 *
 * // needs a `Terminal`, such as that of `NodeTerminal.layer` of `@effect/platform-node`
 * const program = Approver.ask({ title: "Drop the table?", timeout: "10 minutes" }).pipe(
 *   Effect.provide(TerminalPrompt.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: TerminalPromptOptions = {}): Layer.Layer<Approver, never, Terminal.Terminal> =>
  Layer.unwrap(Effect.sync(() => {
    // one for all questions of the layer: a terminal has room for one conversation at a time
    const lock = Semaphore.makeUnsafe(1)
    return Approver.layer((question) => ask(question, options.user ?? osUser(), lock), { channel })
  }))

const channel = "terminal"

const invalid = (detail: string) => new AlerterError({ channel, reason: AlerterErrorReason.InvalidAlert({ detail }) })

const unreachable = (detail: string) =>
  new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({ detail }) })

/** Nobody reads a question and answers it in less, in milliseconds. */
const reactionTime = 300

/** More than anybody reads in a terminal, in UTF-16 code units. */
const maxText = 20_000
const maxLine = 500
const maxFields = 100

const ask = (
  question: Question,
  user: string,
  lock: Semaphore.Semaphore
): Effect.Effect<Decision, AlerterError, Terminal.Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal.Terminal
    const by = { id: user, name: user }
    if (!mayAnswer(question, by)) return yield* invalid(`${oneLine(user)}, at the terminal, is none of its approvers`)
    const words = wordsOf(question)
    // a width is what an output has that is a terminal
    if ((yield* terminal.columns) === 0) return yield* unreachable("there is no terminal")
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(question.timeout)
    return yield* lock.withPermits(1)(conversation(terminal, question, words, until, by))
  })

const conversation = (
  terminal: Terminal.Terminal,
  question: Question,
  words: Words,
  until: number,
  by: { readonly id: string; readonly name: string }
): Effect.Effect<Decision, AlerterError> => {
  const say = (text: string) =>
    Effect.mapError(terminal.display(text), () => unreachable("the terminal can't be written to"))
  const prompt = promptOf(question)
  return Effect.gen(function*() {
    yield* say(`${render(question, until)}\n${prompt}`)
    const shown = yield* Clock.currentTimeMillis
    while (true) {
      const line = yield* Effect.mapError(terminal.readLine, () => unreachable("the terminal was closed"))
      const answer = understand(line, words)
      const early = (yield* Clock.currentTimeMillis) - shown < reactionTime
      if (answer !== undefined && !early) {
        const at = yield* now
        yield* say(`${answer.approved ? "Approved" : "Denied"} by ${oneLine(by.name)}.\n`)
        const { comment } = answer
        return answer.approved ? Decision.Approved({ by, at, comment }) : Decision.Denied({ by, at, comment })
      }
      yield* say(`${early ? "That was typed before the question could be read.\n" : ""}${prompt}`)
    }
  }).pipe(
    // The time is up, or nobody wants to know any more.
    Effect.onInterrupt(() => Effect.ignore(say("\nNo answer is awaited any more.\n")))
  )
}

// -----------------------------------------------------------------------------
// what is read
// -----------------------------------------------------------------------------

/** What is typed for an answer, the longest first, and whether it approves. */
type Words = ReadonlyArray<readonly [word: string, approves: boolean]>

const short: Words = [["yes", true], ["y", true], ["no", false], ["n", false]]

const wordsOf = (question: Question): Words => {
  const { approve, deny } = labels(question)
  const own = ([[approve, true], [deny, false]] as const).map(([label, approves]) =>
    [oneLine(label).toLowerCase(), approves] as const
  )
  // Where "no" approves, as to "Keep the old ones?", nobody can tell what "n" does.
  const crossed = own.some(([label, approves]) => short.some(([word, yes]) => word === label && yes !== approves))
  const clear = crossed ? [] : short.filter(([word, yes]) => !(yes && isDoubtful(word, question)))
  return [...own, ...clear]
    .toSorted(([a], [b]) => b.length - a.length)
}

const understand = (
  line: string,
  words: Words
): { readonly approved: boolean; readonly comment: string | undefined } | undefined => {
  const text = oneLine(line)
  for (const [word, approved] of words) {
    const rest = text.slice(word.length)
    // "not yet" begins with "no", and is none
    if (text.slice(0, word.length).toLowerCase() !== word || !/^([\s,;:.!–—-]|$)/.test(rest)) continue
    return { approved, comment: rest.replace(/^[\s,;:.!–—-]+/, "") || undefined }
  }
  return undefined
}

// -----------------------------------------------------------------------------
// what is shown
// -----------------------------------------------------------------------------

// They turn the direction of what follows: Unicode Standard Annex #9, section 2.
const directions = /[\u202a-\u202e\u2066-\u2069]/g

const lineOf = (text: string): string => fitEnd(oneLine(text).replace(directions, ""), maxLine)

const textOf = (text: string, indent: string, max = maxText): string =>
  fitMiddle(clean(text), max).replace(directions, "").replace(/\n/g, `\n${indent}`)

const render = ({ body, fields = [], title }: Question, until: number): string => {
  const shown = fields.slice(0, maxFields)
  const more = fields.length - shown.length
  // none where it is for ever, or as good as that
  const end = DateTime.make(until)
  return [
    `? ${lineOf(title)}`,
    ...(body === undefined ? [] : [`  ${textOf(body, "  ")}`]),
    ...shown.map(({ name, value }) => `  ${lineOf(name)}: ${textOf(value, "    ", maxText / shown.length)}`),
    ...(more === 0 ? [] : [`  … and ${more} more`]),
    ...(end._tag === "None"
      ? []
      : [`  An answer counts until ${localTime(end.value, DateTime.zoneMakeLocal())}.`])
  ].join("\n")
}

const promptOf = (question: Question): string => {
  const { approve, deny } = labelsShown(question)
  return `  ${lineOf(approve)} or ${lineOf(deny)}, and a comment if you like: `
}

// -----------------------------------------------------------------------------
// who answers
// -----------------------------------------------------------------------------

const osUser = (): string => {
  try {
    // a cast, since browsers have no `process`
    const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } }
    return process?.env?.["USER"] || process?.env?.["USERNAME"] || "local"
  } catch {
    // Deno throws where the environment may not be read.
    return "local"
  }
}
