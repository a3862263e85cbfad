/** Replaces files at once: a reader sees either the old file or the whole new one. */
import type * as NodeFs from "node:fs"
import { codeOf, fileMode, isLink, isOwn, LinkError, makeFolder, refusePipe, type Warnings } from "./private.ts"

/**
 * Writes a file in place of the one that is there. A new file is for its owner alone, since causes and parameters are in
 * it; one that exists keeps its mode, except in `.epilogue`. Throws a system error, a {@link LinkError}, or a
 * {@link PipeError}.
 */
export const replaceFile = (target: string, content: string | Uint8Array): Warnings => {
  const fs = process.getBuiltinModule("node:fs")
  const { basename, dirname, join } = process.getBuiltinModule("node:path")
  if (isLink(target)) throw new LinkError()
  refusePipe(target)
  const before: NodeFs.Stats | undefined = fs.statSync(target, { throwIfNoEntry: false })
  // a device, or a pipe that this process has open, can't be replaced
  if (before !== undefined && !before.isFile()) {
    fs.writeFileSync(target, content)
    return []
  }
  const folder = dirname(target)
  const warnings = isOwn(folder) ? makeFolder(folder) : []
  const temporary = join(folder, `.${basename(target)}.${crypto.randomUUID()}.tmp`)
  try {
    // a read-only file is not replaced, though renaming would need no permission on it
    if (before !== undefined) fs.accessSync(target, fs.constants.W_OK)
    fs.writeFileSync(temporary, content, { flag: "wx", mode: fileMode })
    if (before !== undefined && !isOwn(target)) fs.chmodSync(temporary, before.mode)
    fs.renameSync(temporary, target)
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") fs.rmSync(temporary, { force: true })
    throw cause
  }
  return warnings
}
