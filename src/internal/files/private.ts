/**
 * Makes folders and files for their owner alone: records, databases and what is stored of alerts hold parameters, errors
 * and payloads, and whoever can read a database file can lock it.
 *
 * All of a folder `.epilogue` belongs to the library, so rights that others have there are taken away, whoever made it.
 * Elsewhere a folder that exists keeps its mode, since its owner may share it on purpose.
 *
 * Modes mean nothing on Windows, where this module only makes and opens.
 */
import { hasProperty } from "effect/Predicate"
import type * as NodeFs from "node:fs"

/** The mode of a folder for its owner alone. */
export const folderMode = 0o700

/** The mode of a file for its owner alone. */
export const fileMode = 0o600

const others = 0o007
const groupAndOthers = 0o077

const own = ".epilogue"

// loaded when a file is made, so that importing this module needs no file system
const fs = (): typeof NodeFs => process.getBuiltinModule("node:fs")
const path = () => process.getBuiltinModule("node:path")

const hasModes = (): boolean => process.platform !== "win32"

/** Thrown in place of following a symbolic link, which somebody else may have put there. Its message is a predicate. */
export class LinkError extends Error {
  override readonly name = "LinkError"
  constructor() {
    super("it is a symbolic link, which is not followed: name what it points to")
  }
}

/** Links of the system to what the process has open, which nobody else can replace. */
const streams = /^\/(?:dev\/(?:stdin|stdout|stderr|fd\/\d+)|proc\/self\/fd\/\d+)$/

const lstat = (at: string): NodeFs.Stats | undefined => fs().lstatSync(at, { throwIfNoEntry: false })

/** Returns whether a path is a symbolic link, other than those of the system to an open file. */
export const isLink = (at: string): boolean => !streams.test(at) && lstat(at)?.isSymbolicLink() === true

/** Thrown in place of opening a pipe, which would wait until somebody opens its other end. Its message is a predicate. */
export class PipeError extends Error {
  static readonly why = "it is a pipe, whose other end would have to be waited for: name a file"
  override readonly name = "PipeError"
  constructor() {
    super(PipeError.why)
  }
}

/** Throws a {@link PipeError} for the path of a pipe, other than of one that this process has open. */
export const refusePipe = (at: string): void => {
  if (!streams.test(at) && fs().statSync(at, { throwIfNoEntry: false })?.isFIFO() === true) throw new PipeError()
}

/** Why what {@link openToRead} has opened can't be read, where that fails with EAGAIN: reading `/proc/kmsg`, say. */
export const nothingToRead = "it has nothing to read until somebody writes to it: name a file"

/** Opens a file for reading. Refuses a pipe as {@link refusePipe} does, and waits for nothing else that is no file. */
export const openToRead = async (at: string): Promise<NodeFs.promises.FileHandle> => {
  const { constants, promises } = fs()
  const { O_NONBLOCK = 0, O_RDONLY } = constants
  refusePipe(at)
  // what this process was given to read is waited for, and its other users would be told not to wait either
  return await promises.open(at, streams.test(at) ? O_RDONLY : O_RDONLY | O_NONBLOCK)
}

/** Returns whether a pipe has a reader: without one, opening it for writing would wait. */
export const hasReader = (at: string): boolean => {
  if (streams.test(at)) return true
  const { closeSync, constants, openSync } = fs()
  try {
    closeSync(openSync(at, constants.O_WRONLY | constants.O_NONBLOCK))
    return true
  } catch (cause) {
    return codeOf(cause) !== "ENXIO"
  }
}

/** Returns the code of a system error, such as ENOSPC, since its message would repeat the path; else the message. */
export const codeOf = (cause: unknown): string =>
  hasProperty(cause, "code") && typeof cause.code === "string"
    ? cause.code
    : cause instanceof Error
    ? cause.message
    : String(cause)

/** Why the system refuses a path that names something else than is needed, by the code for it. */
const misnamed: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder, and a file is needed",
  ENOTDIR: "a part of the path is a file, and a folder is needed"
}

/** Returns whether a code says that a path names something else than is needed, whatever is done about rights or room. */
export const isMisnamed = (code: string): boolean => misnamed[code] !== undefined

/** Returns the code of a system error, with words for one that says what is wrong with a path. */
export const withWords = (code: string): string => isMisnamed(code) ? `${misnamed[code]} (${code})` : code

/** Returns the folders on the way to a path that belong to the library: `.epilogue`, and those in it. */
const ownFolders = (at: string): ReadonlyArray<string> => {
  const { dirname, basename, resolve } = path()
  const found: Array<string> = []
  for (let folder = resolve(at);; folder = dirname(folder)) {
    found.unshift(folder)
    if (basename(folder) === own) return found
    if (folder === dirname(folder)) return []
  }
}

/** Returns whether a path is in a folder `.epilogue`, or is one. */
export const isOwn = (at: string): boolean => ownFolders(at).length > 0

/** Throws a {@link LinkError} where the folder is a symbolic link, or its way leads through one from `.epilogue` on. */
export const refuseLinkedFolder = (folder: string): void => {
  for (const part of [path().resolve(folder), ...ownFolders(folder)]) if (isLink(part)) throw new LinkError()
}

/** The files that could not be made private, each as a sentence. */
export type Warnings = ReadonlyArray<string>

const none: Warnings = []

/**
 * Takes all rights on a path away but those of `wanted`, and gives none that it does not have. The file is not opened:
 * closing it again would drop SQLite's locks on it.
 */
const tighten = (at: string, { mode }: NodeFs.Stats, wanted: number): Warnings => {
  try {
    fs().chmodSync(at, mode & wanted)
    return none
  } catch (cause) {
    const found = (mode & 0o777).toString(8)
    return [
      `other users of this machine have rights on ${at} (mode ${found}), which can't be changed: ${codeOf(cause)}`
    ]
  }
}

/** Makes all that is in a folder private, which others may have been able to open. */
const tightenEntries = (folder: string): Warnings =>
  fs().readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path().join(folder, entry.name)
    if (entry.isDirectory()) return protectFolder(at)
    const stat = entry.isFile() ? lstat(at) : undefined
    return stat === undefined || (stat.mode & groupAndOthers) === 0 ? none : tighten(at, stat, fileMode)
  })

const protectFolder = (folder: string): Warnings => {
  const stat = lstat(folder)
  if (stat === undefined || (stat.mode & groupAndOthers) === 0) return none
  const warnings = tighten(folder, stat, folderMode)
  return warnings.length > 0 ? warnings : tightenEntries(folder)
}

/** Whether anybody may replace the files in a folder. In one like /tmp (the sticky bit) only their owners may. */
const isOpenToAll = ({ mode }: NodeFs.Stats): boolean => (mode & 0o002) !== 0 && (mode & 0o1000) === 0

/** Makes a folder and its parents. `recursive` is not used: with it, Node loops forever in places such as `/proc`. */
const make = (folder: string): void => {
  const { mkdirSync, statSync } = fs()
  const { dirname } = path()
  const attempt = () => mkdirSync(folder, { mode: folderMode })
  try {
    attempt()
  } catch (cause) {
    const code = codeOf(cause)
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
    if (code !== "ENOENT" || dirname(folder) === folder) throw cause
    make(dirname(folder))
    try {
      attempt()
    } catch (cause) {
      // another process has made it meanwhile
      if (codeOf(cause) !== "EEXIST") throw cause
    }
  }
}

/**
 * Makes a folder and its parents where they are missing, for their owner alone. Takes the rights of others away from
 * folders of the library, and all that is in them. Throws a system error, or a {@link LinkError}.
 */
export const makeFolder = (folder: string): Warnings => {
  const mine = ownFolders(folder)
  if (mine.some(isLink)) throw new LinkError()
  make(folder)
  if (!hasModes()) return none
  if (mine.length > 0) return mine.flatMap(protectFolder)
  const stat = fs().statSync(folder, { throwIfNoEntry: false })
  return stat !== undefined && isOpenToAll(stat)
    ? [`other users of this machine can replace the files in ${folder} (mode ${(stat.mode & 0o777).toString(8)})`]
    : none
}

/**
 * Makes the folder of a file if it belongs to the library, as {@link makeFolder} does, and does nothing for a file
 * elsewhere. Throws a {@link LinkError} if the file is a symbolic link.
 */
export const makeOwnFolderOf = (file: string): Warnings => {
  // asked first, since not every runtime that writes files has a module for paths
  if (!file.includes(own) || !isOwn(file)) return none
  const warnings = makeFolder(path().dirname(file))
  if (isLink(file)) throw new LinkError()
  return warnings
}

/**
 * Makes an empty file where it is missing, for its owner alone. Does nothing to one that exists. Throws a system error, or
 * a {@link LinkError} where a link leads to no file, which its next reader would make with other rights.
 */
export const makeFile = (file: string): void => {
  try {
    // with `wx` nothing that exists is opened, not even through a link
    fs().writeFileSync(file, "", { flag: "wx", mode: fileMode })
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
    if (isLink(file) && !fs().existsSync(file)) throw new LinkError()
  }
}

/** Takes the rights of others away from a file, where it exists. A group may have been let in, but not to `.epilogue`. */
export const protectFile = (file: string): Warnings => {
  if (!hasModes()) return none
  const stat = fs().statSync(file, { throwIfNoEntry: false })
  const taken = isOwn(file) ? groupAndOthers : others
  return stat === undefined || !stat.isFile() || (stat.mode & taken) === 0 ? none : tighten(file, stat, fileMode)
}

/**
 * Warns of a file of another user, who can read and change what is stored in it, as one that was made in a folder like /tmp
 * before this process came to it. Whoever owns its folder has been trusted with what is in that, and root may do anything.
 */
const foreignFile = (file: string): Warnings => {
  if (!hasModes()) return none
  const { statSync } = fs()
  const owner = statSync(file, { throwIfNoEntry: false })?.uid ?? 0
  const trusted = [0, process.geteuid?.(), statSync(path().dirname(file), { throwIfNoEntry: false })?.uid]
  return trusted.includes(owner)
    ? none
    : [`${file} belongs to another user of this machine (uid ${owner}), who can read and change what is stored in it`]
}

/** Makes the folder of a file, as {@link makeFolder} does, and looks at whose the file is, where it exists. */
export const makeFolderOf = (file: string): Warnings => [...makeFolder(path().dirname(file)), ...foreignFile(file)]

/** Opens a file for appending, and makes it where it is missing, for its owner alone. Follows no link, and opens no pipe. */
export const openToAppend = (file: string): number => openAppending(file, fs().constants.O_CREAT)

/** Opens a file that exists for appending. Follows no link, and opens no pipe. */
export const openExisting = (file: string): number => openAppending(file, 0)

const openAppending = (file: string, flags: number): number => {
  const { constants, fchmodSync, fstatSync, openSync } = fs()
  const { O_APPEND, O_NOFOLLOW = 0, O_WRONLY } = constants
  if (isLink(file)) throw new LinkError()
  refusePipe(file)
  const follow = streams.test(file) ? 0 : O_NOFOLLOW
  const fd = openSync(file, O_APPEND | O_WRONLY | flags | follow, fileMode)
  if (hasModes() && isOwn(file) && (fstatSync(fd).mode & groupAndOthers) !== 0) {
    try {
      fchmodSync(fd, fileMode)
    } catch {
      // its folder, which is made private too, keeps others out
    }
  }
  return fd
}
