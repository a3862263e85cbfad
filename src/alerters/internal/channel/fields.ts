/** Fits the fields of an alert, however many and long, into the room that a message has for them. */
import type { Field } from "../../../Alert.ts"
import { clean, oneLine } from "../../../internal/text/fit.ts"

/** The room that a message has for fields. */
interface FieldRoom<A> {
  /** The limit of all fields together, as `size` counts. */
  readonly room: number
  readonly maxFields: number
  /** Values are cut to at most `maxValue`, and at least `minValue`: before they get shorter, fields are left out. */
  readonly maxValue: number
  readonly minValue: number
  readonly render: (field: Field, maxValue: number) => A
  /** Renders the note in place of the fields that are left out. */
  readonly more: (count: number) => A
  readonly size: (rendered: A) => number
}

/** Returns as many fields as fit, with control characters removed and values as long as then fit. */
export const fitFields = <A>(fields: ReadonlyArray<Field>, options: FieldRoom<A>): ReadonlyArray<A> => {
  const { maxFields, maxValue, minValue, more, render, room, size } = options
  // no more than can be shown are cleaned: there may be thousands
  const cleaned = fields.slice(0, maxFields).map(({ name, value }) => ({
    name: oneLine(name),
    value: clean(value).trim()
  }))
  const of = (count: number, limit: number): ReadonlyArray<A> => {
    const shown = cleaned.slice(0, count).map((field) => render(field, limit))
    return count < fields.length ? [...shown, more(fields.length - count)] : shown
  }
  const fits = (rendered: ReadonlyArray<A>) => rendered.reduce((sum, one) => sum + size(one), 0) <= room
  const most = fields.length <= maxFields ? fields.length : maxFields - 1
  const full = of(most, maxValue)
  if (fits(full)) return full
  if (fits(of(most, minValue))) return of(most, greatest(minValue, maxValue, (limit) => fits(of(most, limit))))
  const fewer = of(greatest(0, most, (count) => fits(of(count, minValue))), minValue)
  return fits(fewer) ? fewer : []
}

/** Returns the greatest number for which `holds` is true, by bisection: it must be false for all numbers above. */
const greatest = (from: number, to: number, holds: (n: number) => boolean): number => {
  let low = from
  let high = to
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}
