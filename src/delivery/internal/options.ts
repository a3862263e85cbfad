/** Validation of the policies' options. A wrong option throws, which is a defect when the layer is built. */
import type * as Duration from "effect/Duration"
import { limitMillis } from "../../internal/model/limit.ts"

const toMillis = (input: Duration.Input): number => limitMillis(input) ?? NaN

/** Returns the milliseconds of a duration that must be positive and finite. */
export const millisOf = (policy: string, name: string, input: Duration.Input): number => {
  const millis = toMillis(input)
  if (!(millis > 0 && millis < Infinity)) throw new Error(`${policy}: ${name} must be a positive, finite duration`)
  return millis
}

/** Returns the milliseconds of a duration that may be infinite, and may be zero where `least` is 0. */
export const limitOf = (policy: string, name: string, input: Duration.Input, least: 0 | 1 = 1): number => {
  const millis = toMillis(input)
  if (!(millis >= least)) {
    throw new Error(`${policy}: ${name} must be a positive duration${least === 0 ? ", or zero" : ""}`)
  }
  return millis
}

/** Returns the count if it is a whole number of at least 1. */
export const countOf = (policy: string, name: string, count: number): number => {
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new Error(`${policy}: ${name} must be a whole number of at least 1`)
  }
  return count
}
