/** Replaces files at once: a reader sees either the old file or the whole new one. */
import type * as NodeFs from "node:fs"
import { codeOf, fileMode, isLink, isOwn, LinkError, makeFolder, refusePipe, type Warnings } from "./private.ts"

const fs = (): typeof NodeFs => process.getBuiltinModule("node:fs")

/** The place of a file that is to be replaced. */
interface Place {
  /** The file that is there, if there is one. */
  readonly before: NodeFs.Stats | undefined
  /** Whether a new file takes its place. A device, a pipe that this process has open, or a folder can't be replaced. */
  readonly isReplaced: boolean
  /** The path of a new file beside it. */
  readonly temporary: string
  readonly warnings: Warnings
}

/** Finds the place of a file, and makes its folder where that is missing. */
const placeOf = (target: string): Place => {
  const { basename, dirname, join } = process.getBuiltinModule("node:path")
  if (isLink(target)) throw new LinkError()
  refusePipe(target)
  const folder = dirname(target)
  const warnings = isOwn(folder) || !fs().existsSync(folder) ? makeFolder(folder) : []
  const before = fs().statSync(target, { throwIfNoEntry: false })
  return {
    before,
    isReplaced: before === undefined ? !/[/\\]$/.test(target) : before.isFile(),
    temporary: join(folder, `.${basename(target)}.${crypto.randomUUID()}.tmp`),
    warnings
  }
}

/** Writes a new file beside the target, and then calls a function. */
const writeBeside = (target: string, { before, temporary }: Place, content: string | Uint8Array, then: () => void) => {
  try {
    // a read-only file is not replaced, though renaming would need no permission on it
    if (before !== undefined) fs().accessSync(target, fs().constants.W_OK)
    fs().writeFileSync(temporary, content, { flag: "wx", mode: fileMode })
    then()
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") fs().rmSync(temporary, { force: true })
    throw cause
  }
}

/**
 * Writes a file in place of the one that is there. A new file is for its owner alone, since causes and parameters are in
 * it; one that exists keeps its mode, except in `.epilogue`. Makes the folder where it is missing. Throws a system error,
 * a {@link LinkError}, or a {@link PipeError}.
 */
export const replaceFile = (target: string, content: string | Uint8Array): Warnings => {
  const place = placeOf(target)
  const { before, isReplaced, temporary, warnings } = place
  if (isReplaced) {
    writeBeside(target, place, content, () => {
      if (before !== undefined && !isOwn(target)) fs().chmodSync(temporary, before.mode)
      fs().renameSync(temporary, target)
    })
  } else fs().writeFileSync(target, content)
  return warnings
}

/** Throws what {@link replaceFile} would throw now, and leaves a file that is there as it is. */
export const checkReplaced = (target: string): void => {
  const place = placeOf(target)
  if (place.isReplaced) writeBeside(target, place, "", () => fs().rmSync(place.temporary))
  else fs().closeSync(fs().openSync(target, "w"))
}
