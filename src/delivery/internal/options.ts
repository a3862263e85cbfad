/** Options that make no sense are a defect when the layer is built, since whoever wrote them is to be told. */
import * as Duration from "effect/Duration"

const fromInput = (input: Duration.Input): number => {
  const duration = Duration.fromInput(input)
  return duration._tag === "None" ? NaN : Duration.toMillis(duration.value)
}

/** Milliseconds of a window. */
export const millisOf = (policy: string, name: string, input: Duration.Input): number => {
  const millis = fromInput(input)
  if (!(millis > 0 && millis < Infinity)) throw new Error(`${policy}: ${name} is no positive, finite duration`)
  return millis
}

/** Milliseconds of what may have no end, or not even a beginning where `least` is 0. */
export const limitOf = (policy: string, name: string, input: Duration.Input, least: 0 | 1 = 1): number => {
  const millis = fromInput(input)
  if (!(millis >= least)) throw new Error(`${policy}: ${name} is no positive duration`)
  return millis
}

/** @internal */
export const countOf = (policy: string, name: string, count: number): number => {
  if (!(Number.isInteger(count) && count >= 1)) throw new Error(`${policy}: ${name} is no whole number of at least 1`)
  return count
}
