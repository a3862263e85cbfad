/** Reads the options of a channel from variables of the environment, by the Schemas of the config file. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { FromFile } from "./leaf.ts"
import { expectedOf } from "./structure.ts"

/** A variable that is missing, or whose value is none of those expected. It does not show the value. */
export interface VariableMistake {
  readonly found: string
  readonly expected: string
}

/** An option, and the variable that holds it. */
interface Variable {
  readonly key: string
  readonly name: string
  readonly isOptional: boolean
  readonly schema: FromFile<unknown>
}

/** Reads options from the `ConfigProvider`. Fails with everything that is missing or wrong. As in a shell, empty is missing. */
export const read = (
  variables: ReadonlyArray<Variable>
): Effect.Effect<Readonly<Record<string, unknown>>, ReadonlyArray<VariableMistake>> =>
  Effect.gen(function*() {
    const provider = yield* ConfigProvider.ConfigProvider
    const options: Record<string, unknown> = {}
    const mistakes: Array<VariableMistake> = []
    for (const { isOptional, key, name, schema } of variables) {
      const text = yield* Effect.match(provider.load([name]), {
        onFailure: () => undefined,
        onSuccess: (node) => node?.value
      })
      if (text === undefined || text === "") {
        if (!isOptional) {
          mistakes.push({ expected: `the variable ${name} to be set`, found: "no such variable, or an empty one" })
        }
        continue
      }
      const decoded = Schema.decodeUnknownResult(schema)(Redacted.make(text))
      if (Result.isSuccess(decoded)) options[key] = decoded.success
      else {
        mistakes.push({
          expected: `the variable ${name} to hold ${expectedOf(schema) ?? "another value"}`,
          found: "another value"
        })
      }
    }
    return mistakes.length === 0 ? options : yield* Effect.fail(mistakes)
  })
