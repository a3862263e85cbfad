/**
 * Brings what is committed without waiting for the disk to the disk, beside the thread: SQLite itself would hold up the
 * thread, and with it whatever comes next.
 */
import { resolved } from "../../../../internal/files/sqlite.ts"

const fs = () => process.getBuiltinModule("node:fs")

/** The `-wal` file of a database. In another file than the database, since closing that would drop SQLite's locks. */
export class LogFile {
  private readonly path: string
  private handle: number | undefined
  private isSyncing = false
  /** Whether something was committed that the current sync may miss. */
  private isBehind = false
  private isOver = false

  constructor(filename: string) {
    this.path = `${resolved(filename)}-wal`
  }

  /** Opens the file, unless it is open. Returns whether it can be synced; otherwise commits have to wait for the disk. */
  open(): boolean {
    if (this.isOver) return false
    if (this.handle !== undefined) return true
    try {
      // made with the first write; not read-only, which Windows does not sync
      this.handle = fs().openSync(this.path, "r+")
    } catch {
      return false
    }
    return true
  }

  /** Begins to bring all that is committed to the disk. */
  sync(): void {
    if (this.handle === undefined) return
    this.isBehind = this.isSyncing
    if (this.isSyncing) return
    this.isSyncing = true
    fs().fdatasync(this.handle, (error) => {
      this.isSyncing = false
      // SQLite's next sync fails, too, and is told
      if (error !== null) this.isOver = true
      if (this.isOver) this.close()
      else if (this.isBehind) this.sync()
    })
  }

  /** Notes that SQLite has brought all that is committed to the disk. */
  synced(): void {
    this.isBehind = false
  }

  close(): void {
    this.isOver = true
    if (this.isSyncing || this.handle === undefined) return
    fs().closeSync(this.handle)
    this.handle = undefined
  }
}
