/** Refuses a database that is mounted alone, without the folder of the files that SQLite keeps beside it. */
import { resolved } from "../../../../internal/files/sqlite.ts"

/** Returns the mount points of this process, on Linux. */
const mountPoints = (): ReadonlyArray<string> => {
  try {
    const text = process.getBuiltinModule("node:fs").readFileSync("/proc/self/mountinfo", "utf8")
    return text.split("\n").map((line) =>
      // spaces and the like are written as octal numbers
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    )
  } catch {
    return []
  }
}

/**
 * Returns why a file is refused, as a predicate of it, or `undefined`. What is committed is in the file `-wal` beside the
 * database first. A process that reaches the database by such a mount has another one, and neither sees what the other
 * has committed.
 */
export const refusedMount = (filename: string): string | undefined =>
  mountPoints().includes(resolved(filename))
    ? "is mounted alone, and SQLite keeps a part of it in files beside it: mount its folder"
    : undefined
