/** What environment variables must be. */
import * as Config from "effect/Config"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const isAddress = (text: string): boolean => /^https?:$/.test(URL.parse(text.trim())?.protocol ?? "")

const Address = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.makeFilter((text: string) => isAddress(text) ? undefined : "Expected an address that begins with https://")
  )
)

/** An address from a variable, which a script had better know is none before the alert that it is for. */
export const address = (name: string): Config.Config<Redacted.Redacted<string>> => Config.schema(Address, name)
