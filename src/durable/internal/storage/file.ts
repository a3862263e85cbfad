/** Notices that the file of an open database was deleted, or replaced by another one: writes would go nowhere. */
import { fileIdentity, resolved } from "../../../internal/files/sqlite.ts"
import { FileLost } from "./problems.ts"

/** Returns a function that throws a `FileLost` where the name does not lead to the file any more that it leads to now. */
export const watchFile = (filename: string): () => void => {
  // not a link to it, which may lead elsewhere by now: the file is still there
  const path = resolved(filename)
  const log = `${path}-wal`
  const opened = fileIdentity(path)
  let journal: string | undefined
  return () => {
    const now = fileIdentity(path)
    if (now !== opened) throw new FileLost(now === undefined ? "Missing" : "Replaced", path)
    const present = fileIdentity(log)
    // made with the first write, and kept for as long as the database is open
    journal ??= present
    if (present !== journal) throw new FileLost(present === undefined ? "Missing" : "Replaced", log)
  }
}
