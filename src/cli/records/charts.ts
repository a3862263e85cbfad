/** Implements `epilogue report`, which draws charts of a recorded run. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type { Stats } from "node:fs"
import { access, chmod, constants, rename, stat, unlink, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { codeOf, fileMode, isLink, isOwn, LinkError, makeFolder } from "../../internal/files/private.ts"
import type { Event } from "../../report/Event.ts"
import { html, mermaid, png, svg } from "../../report/Timeline.ts"
import type { ReportRequest } from "../request.ts"
import { err, written } from "../terminal.ts"
import { eachPiece, fileOf, perform } from "./find.ts"

/** The error of a chart that can't be written. */
class WriteError extends Data.TaggedError("WriteError")<{ readonly file: string; readonly code: string }> {
  override get message(): string {
    return `can't write ${this.file}: ${this.code}`
  }
}

interface Chart {
  readonly target: string
  readonly content: string | Uint8Array
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
    yield* Effect.forEach(charts, write, { discard: true })
  }))

const write = ({ content, target }: Chart): Effect.Effect<void, WriteError> =>
  target === "-"
    ? Effect.promise(() => written(content))
    : Effect.tryPromise({
      try: () => replace(target, content),
      catch: (cause) => new WriteError({ file: target, code: codeOf(cause) })
    }).pipe(Effect.tap(() => Effect.sync(() => err(`wrote ${target} (${sizeOf(content)})`))))

/**
 * Replaces a file at once: a reader sees either the old file or the whole new one. A new file is for its owner alone,
 * since causes and parameters are in it; one that exists keeps its mode, except in `.epilogue`.
 */
const replace = async (target: string, content: Chart["content"]): Promise<void> => {
  if (isLink(target)) throw new LinkError()
  const before = await ifThere(() => stat(target))
  // a device or a pipe can't be replaced
  if (before !== undefined && !before.isFile()) return writeFile(target, content)
  const folder = dirname(target)
  if (isOwn(folder)) { for (const warning of makeFolder(folder)) err(warning) }
  const temporary = join(folder, `.${basename(target)}.${randomUUID()}.tmp`)
  try {
    // a read-only file is not replaced, though renaming would need no permission on it
    if (before !== undefined) await access(target, constants.W_OK)
    await writeFile(temporary, content, { flag: "wx", mode: fileMode })
    if (before !== undefined && !isOwn(target)) await chmod(temporary, before.mode)
    await rename(temporary, target)
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") await unlink(temporary).catch(() => {})
    throw cause
  }
}

const ifThere = async (look: () => Promise<Stats>): Promise<Stats | undefined> => {
  try {
    return await look()
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw cause
  }
}

const sizeOf = (content: Chart["content"]): string => {
  const kilobytes = Buffer.byteLength(content) / 1000
  return kilobytes < 10 ? `${kilobytes.toFixed(1)} KB` : `${Math.round(kilobytes).toLocaleString("en")} KB`
}
