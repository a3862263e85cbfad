/** Checks and reads the secrets among the options of a channel. */
import * as Redacted from "effect/Redacted"
import { type Check, text } from "../../../internal/model/options.ts"

type Secret = Redacted.Redacted<string>

/** Checks a secret. Shows nothing of one that is a plain text. */
export const secret: Check<Secret> = (what, value: unknown) =>
  Redacted.isRedacted(value)
    // a cast: of a variable that is not set it is `undefined`
    ? text(`the value of ${what}`, Redacted.value(value) as string)
    : [`${what} must be a Redacted, got ${typeof value}`]

/** Checks a secret that need not be set. An empty one is that of a variable that is set to nothing. */
export const optionalSecret: Check<Secret | undefined> = (what, value) =>
  value === undefined || (Redacted.isRedacted(value) && Redacted.value(value) === "") ? [] : secret(what, value)

/** Returns a secret that need not be set as a text, which is empty where it is not. */
export const textOf = (secret: Secret | undefined): string => secret === undefined ? "" : Redacted.value(secret)
