/** Reads the secrets among the options of a channel. */
import * as Redacted from "effect/Redacted"
import { refuse } from "../../../internal/model/options.ts"

/**
 * Returns the text of a secret option. Bun, Deno and Node check no types, and of a secret that is a plain text, or missing
 * as a variable that is not set, `Redacted.value` says only that it can't get a value.
 */
export const secretOf = <K extends string>(
  channel: string,
  options: { readonly [key in K]?: Redacted.Redacted<string> | undefined },
  option: K
): string => {
  const secret: unknown = options[option]
  if (!Redacted.isRedacted(secret)) refuse(channel, [`${option} must be a Redacted, got ${typeof secret}`])
  return Redacted.value(options[option]!)
}
