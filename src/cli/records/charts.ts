/** Implements `epilogue report`, which draws charts of a recorded run. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { codeOf, isMisnamed, withWords } from "../../internal/files/private.ts"
import { replaceFile } from "../../internal/files/replace.ts"
import { forLog } from "../../internal/text/writer.ts"
import type { Event } from "../../report/Event.ts"
import { Runs } from "../../report/internal/events/model.ts"
import { badge, junit, markdown } from "../../report/Summary.ts"
import { html, mermaid, png, svg } from "../../report/Timeline.ts"
import { type ReportRequest, UsageError } from "../request.ts"
import { err, written } from "../terminal.ts"
import { eachPiece, fileOf, perform } from "./find.ts"

/** The error of a chart that can't be written. */
class WriteError extends Data.TaggedError("WriteError")<{ readonly file: string; readonly code: string }> {
  override get message(): string {
    return `can't write ${this.file}: ${withWords(this.code)}`
  }
}

interface Chart {
  readonly target: string
  readonly content: string | Uint8Array
}

/** Returns what a badge shows of the last run among events. */
const badgeOf = (events: ReadonlyArray<Event>): Parameters<typeof badge>[0] => {
  const found = new Runs()
  for (const event of events) found.apply(event)
  // there is an event at least, and so a run
  const { durationMillis, lastAt, left, outcome, pipelineName, startedAt } = [...found.byId.values()].at(-1)!
  return {
    pipelineName,
    status: outcome ?? left?._tag ?? "cutOff",
    duration: Duration.millis(durationMillis ?? Math.max(0, lastAt - startedAt))
  }
}

/** Draws all charts, and writes them only if all could be drawn. */
export const report = (request: ReportRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const file = yield* fileOf(request)
    const events: Array<Event> = []
    yield* eachPiece(file, (some) => {
      for (const event of some) events.push(event)
    })
    const { theme, title } = request
    const charts: Array<Chart> = []
    if (request.html !== undefined) charts.push({ target: request.html, content: html(events, { title }) })
    if (request.svg !== undefined) charts.push({ target: request.svg, content: svg(events, { title, theme }) })
    if (request.png !== undefined) charts.push({ target: request.png, content: yield* png(events, { title, theme }) })
    if (request.mermaid !== undefined) charts.push({ target: request.mermaid, content: mermaid(events, { title }) })
    if (request.junit !== undefined) charts.push({ target: request.junit, content: junit(events, { title }) })
    if (request.markdown !== undefined) charts.push({ target: request.markdown, content: markdown(events, { title }) })
    if (request.badge !== undefined) charts.push({ target: request.badge, content: badge(badgeOf(events)) })
    yield* Effect.forEach(charts, write, { discard: true })
  }))

const write = ({ content, target }: Chart): Effect.Effect<void, UsageError | WriteError> =>
  target === "-"
    // also in the block of code of a Markdown page, which the runner of GitHub Actions reads as any line
    ? Effect.promise(() => written(typeof content === "string" ? forLog(content) : content))
    : Effect.try({
      try: () => replaceFile(target, content),
      catch: (cause) => {
        const error = new WriteError({ file: target, code: codeOf(cause) })
        return isMisnamed(error.code) ? new UsageError({ message: error.message }) : error
      }
    }).pipe(Effect.map((warnings) => {
      for (const warning of warnings) err(warning)
      err(`wrote ${target} (${sizeOf(content)})`)
    }))

const sizeOf = (content: Chart["content"]): string => {
  const kilobytes = Buffer.byteLength(content) / 1000
  return kilobytes < 10 ? `${kilobytes.toFixed(1)} KB` : `${Math.round(kilobytes).toLocaleString("en")} KB`
}
