/** Keeps the last lines that each run has logged. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import { innerContext } from "../../internal/model/spanTracers.ts"
import { causeDetail } from "../../internal/text/errors.ts"
import { clean, fitEnd } from "../../internal/text/fit.ts"
import { isError } from "../../internal/text/read.ts"
import { text } from "../../internal/text/redact.ts"
import { StepContext } from "../../StepContext.ts"
import { maxLogLine } from "./ping.ts"

/** The last lines of the runs that are watched. */
export interface Tail {
  readonly logger: Logger.Logger<unknown, void>
  readonly begin: (runId: string) => void
  /** Returns the lines of a run, and forgets them. */
  readonly end: (runId: string) => ReadonlyArray<string>
}

/** Makes a tail of at most so many lines a run. */
export const make = (most: number): Tail => {
  const runs = new Map<string, Array<string>>()
  return {
    logger: Logger.make(({ cause, date, fiber, logLevel, message }) => {
      const context = innerContext(fiber, Context.getOrUndefined(fiber.context, StepContext))
      const lines = context === undefined ? undefined : runs.get(context.runId)
      if (lines === undefined) return
      const parts = [message].flat().map(textOf)
      if (cause.reasons.length > 0) parts.push(causeDetail(cause))
      const entry = `${date.toISOString().slice(11, 19)}Z ${logLevel.toUpperCase()} ${parts.join(" ")}`
      // a message that is larger than all that is sent is not cleaned as a whole
      const shown = clean(entry.slice(0, (most + 1) * maxLogLine)).split("\n").slice(0, most)
      lines.push(...shown.map((line) => fitEnd(line, maxLogLine)))
      if (lines.length > most) lines.splice(0, lines.length - most)
    }),
    begin: (runId) => void runs.set(runId, []),
    end: (runId) => {
      const lines = runs.get(runId) ?? []
      runs.delete(runId)
      return lines
    }
  }
}

const textOf = (part: unknown): string => isError(part) ? causeDetail(Cause.fail(part)) : text(part)
