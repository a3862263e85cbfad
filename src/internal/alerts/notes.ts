/** Fields in which policies and channels say what they have held back or left out, known whatever their names. */
import type { Alert, AlertNote } from "../../Alert.ts"

/** Returns the alert with a note after its fields. */
export const withNote = (alert: Alert, note: AlertNote, value: string): Alert =>
  alert.with({ fields: [...alert.fields, { name: note.name, value }], notes: [...alert.notes, note] })

/**
 * Returns whether a field of the alert is such a note. The kind is its name in alerts that were stored before notes
 * were, and in those of other programs.
 */
export const isNote = ({ notes }: Alert, name: string, kind: AlertNote["kind"]): boolean =>
  name === kind || notes.some((note) => note.kind === kind && note.name === name)

/**
 * Returns how many held back alerts the fields of this alert report. A policy that holds this alert back too adds
 * them to its own count, or they would never be reported.
 */
export const heldBackBefore = ({ fields, notes }: Alert): number => {
  const own = notes.filter(({ kind }) => kind === "held back")
  return own.length > 0
    ? own.reduce((sum, { count = 0 }) => sum + count, 0)
    : fields.reduce(
      (sum, { name, value }) =>
        sum + (name === "held back" ? Number(/^(\d{1,9}) (?:more|alerts?) /.exec(value)?.[1] ?? 0) : 0),
      0
    )
}
