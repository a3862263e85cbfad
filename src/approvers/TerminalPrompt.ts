/**
 * Asks the person at the terminal in which the script runs.
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
import { Approver, Decision, type Form, type Question } from "../Approver.ts"
import {
  expectedOf,
  fieldsOf,
  type FormMistake,
  mistakesIn,
  mistakeText,
  readTexts
} from "../internal/approvals/form.ts"
import { isDoubtful, labels, labelsShown, mayAnswer, now } from "../internal/approvals/question.ts"
import type { FormField } from "../internal/model/formField.ts"
import { checked, optionalText } from "../internal/model/options.ts"
import { fitEnd, fitMiddle, oneLine } from "../internal/text/fit.ts"
import { localTime } from "../internal/text/localTime.ts"
import { printable, printableBlock, printableLine } from "../internal/text/printable.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface TerminalPromptOptions {
  /**
   * The person at the terminal, as named in a question's `approvers`. Unless set, the variable
   * `USER`, or `USERNAME` on Windows, or `"local"` if neither is set.
   */
  readonly user?: string | undefined
}

/**
 * Asks in the terminal, and reads the answer as a line: the label of an answer, or `y`, `yes`, `n`
 * or `no`, in upper or lower case.
 *
 * **Details**
 *
 * The rest of the line is the comment. Who approves a question with `values` is then asked for them, field by field;
 * after a line that does not fit, the field is asked for again, with what was expected. After any other line, the
 * prompt appears again. Several questions are asked one after another; the timeout of each begins when it is asked for,
 * and not when it appears. A line that is read within 300 milliseconds after its question is no answer: it was typed
 * before, or comes from a pipe.
 *
 * The question fails if there is no terminal, if it is closed (Ctrl-D), or if the user is not among
 * the question's `approvers`. The approver is not resumable: a question ends with its process.
 *
 * **Gotchas**
 *
 * The user's name is taken from the environment, which the user can change. A secret among the values of a question is
 * shown while it is typed.
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
    const { user } = checked(channel, options, { user: optionalText })
    // one for all questions of the layer: a terminal has room for one conversation at a time
    const lock = Semaphore.makeUnsafe(1)
    return Approver.layer((question) => ask(question, user ?? osUser(), lock), {
      channel,
      takesValues: true
    })
  }))

const channel = "terminal"

const invalid = (detail: string) => new AlerterError({ channel, reason: AlerterErrorReason.InvalidAlert({ detail }) })

const unreachable = (detail: string) =>
  new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({ detail }) })

/** The shortest time in which a person reads a question and answers it, in milliseconds. */
const reactionTime = 300

/** The longest text that is printed, in UTF-16 code units. */
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
    // an output that is no terminal has no width
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
  const readLine = Effect.mapError(terminal.readLine, () => unreachable("the terminal was closed"))
  const prompt = promptOf(question)
  return Effect.gen(function*() {
    yield* say(`${render(question, until)}\n${prompt}`)
    const shown = yield* Clock.currentTimeMillis
    while (true) {
      const line = yield* readLine
      const answer = understand(line, words)
      const early = (yield* Clock.currentTimeMillis) - shown < reactionTime
      if (answer !== undefined && !early) {
        const values = answer.approved && question.values !== undefined
          ? { values: yield* filled(question.values, say, readLine) }
          : {}
        const at = yield* now
        yield* say(`${answer.approved ? "Approved" : "Denied"} by ${lineOf(by.name)}.\n`)
        const { comment } = answer
        return answer.approved
          ? Decision.Approved({ by, at, comment, ...values })
          : Decision.Denied({ by, at, comment })
      }
      yield* say(`${early ? "That was typed before the question could be read.\n" : ""}${prompt}`)
    }
  }).pipe(
    // the question timed out, or the fiber that asked was interrupted
    Effect.onInterrupt(() => Effect.ignore(say("\nNo answer is awaited any more.\n")))
  )
}

/** Asks for the values of a form, field by field, until they fit. */
const filled = (
  form: Form,
  say: (text: string) => Effect.Effect<void, AlerterError>,
  readLine: Effect.Effect<string, AlerterError>
): Effect.Effect<Readonly<Record<string, unknown>>, AlerterError> =>
  Effect.gen(function*() {
    while (true) {
      let values: Readonly<Record<string, unknown>> = {}
      for (const field of fieldsOf(form)) {
        let mistakes: ReadonlyArray<FormMistake> = []
        do {
          yield* say(promptFor(field))
          const read = readTexts([field], { [field.name]: yield* readLine })
          if (read.values === undefined) mistakes = read.mistakes
          else {
            const given = { ...values, ...read.values }
            // those of the fields that are to come are no mistakes yet
            mistakes = (yield* mistakesIn(form, given)).filter(({ field: name }) => name === field.name)
            if (mistakes.length === 0) values = given
          }
          yield* sayAll(say, mistakes)
        } while (mistakes.length > 0)
      }
      const mistakes = yield* mistakesIn(form, values)
      if (mistakes.length === 0) return values
      yield* sayAll(say, mistakes)
    }
  })

const sayAll = (say: (text: string) => Effect.Effect<void, AlerterError>, mistakes: ReadonlyArray<FormMistake>) =>
  Effect.forEach(mistakes, (mistake) => say(`    ${lineOf(mistakeText(mistake))}\n`), { discard: true })

const promptFor = (field: FormField): string => {
  const { description, label, required } = field
  const hint = description === undefined ? "" : `${lineOf(description)}; `
  return `  ${lineOf(label)} (${hint}${lineOf(expectedOf(field))}${required ? "" : ", optional"}): `
}

// -----------------------------------------------------------------------------
// what is read
// -----------------------------------------------------------------------------

/** The words that are answers, the longest first, and whether each approves. */
type Words = ReadonlyArray<readonly [word: string, approves: boolean]>

const short: Words = [["yes", true], ["y", true], ["no", false], ["n", false]]

const wordsOf = (question: Question): Words => {
  const { approve, deny } = labels(question)
  const own = ([[approve, true], [deny, false]] as const).map(([label, approves]) =>
    [oneLine(label).toLowerCase(), approves] as const
  )
  // if "no" approves, as in "Keep the old ones?", the short forms would be ambiguous
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
    // "not yet" begins with "no", but is no answer
    if (text.slice(0, word.length).toLowerCase() !== word || !/^([\s,;:.!–—-]|$)/.test(rest)) continue
    return { approved, comment: rest.replace(/^[\s,;:.!–—-]+/, "") || undefined }
  }
  return undefined
}

// -----------------------------------------------------------------------------
// what is shown
// -----------------------------------------------------------------------------

const lineOf = (text: string): string => fitEnd(printableLine(text.trim()), maxLine)

const textOf = (text: string, indent: string, max = maxText): string =>
  printableBlock(fitMiddle(printable(text), max), indent)

const render = ({ body, fields = [], title }: Question, until: number): string => {
  const shown = fields.slice(0, maxFields)
  const more = fields.length - shown.length
  // none if the timeout is infinite, or ends after the last date that there is
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
    // Deno throws without permission to read the environment
    return "local"
  }
}
