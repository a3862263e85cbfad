/** Looks into the file of a `Store`, as somebody with another program would. */
import { DatabaseSync } from "node:sqlite"

const rows = (filename: string, sql: string): ReadonlyArray<Record<string, unknown>> => {
  const db = new DatabaseSync(filename)
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

/** Returns the names of the states that a policy has written to. */
export const statesIn = (filename: string): ReadonlyArray<string> =>
  rows(filename, "SELECT name FROM effect_epilogue_states ORDER BY name").map(({ name }) => String(name))

/** Returns the entries of all states, as text. */
export const entriesIn = (filename: string): ReadonlyArray<string> =>
  rows(filename, "SELECT entry FROM effect_epilogue_entries ORDER BY state, place").map(({ entry }) => String(entry))
