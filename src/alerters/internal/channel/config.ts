/** Options from variables of the environment. */
import * as Config from "effect/Config"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { isHttp } from "./isHttp.ts"

const Address = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.makeFilter((text: string) => isHttp(text) ? undefined : "Expected an address that begins with https://")
  )
)

/** Reads an address. One that is wrong is an error when the layer is built, and not when the first alert is posted. */
export const address = (name: string): Config.Config<Redacted.Redacted<string>> => Config.schema(Address, name)
