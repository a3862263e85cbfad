/** Fields of unknown number and length, where all of them share the room of one message. */
import type { Field } from "../../../Alert.ts"
import { clean, oneLine } from "../../../internal/text/fit.ts"

export interface FieldRoom<A> {
  /** What all of them may take together, as `size` counts. */
  readonly room: number
  readonly maxFields: number
  /** The longest value, and the one from which on there are fewer fields rather than shorter values. */
  readonly maxValue: number
  readonly minValue: number
  readonly render: (field: Field, maxValue: number) => A
  /** In place of those left out. */
  readonly more: (count: number) => A
  readonly size: (rendered: A) => number
}

/** As many fields as fit, cleaned, with values as long as then fit. */
export const fitFields = <A>(fields: ReadonlyArray<Field>, options: FieldRoom<A>): ReadonlyArray<A> => {
  const { maxFields, maxValue, minValue, more, render, room, size } = options
  // as many as there may be are enough to clean
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

/** The greatest number for which it holds, given that it holds for none above one for which it does not. */
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
