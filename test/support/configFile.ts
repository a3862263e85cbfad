/** Decodes config files from strings, and formats their issues. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import type { ConfigFileError } from "../../src/config/ConfigFileError.ts"
import type { Document } from "../../src/config/Document.ts"
import { decode, type Decoded } from "../../src/config/internal/file/decode.ts"

export interface Options {
  /** `"nightly.yaml"` unless set. */
  readonly file?: string
  readonly env?: Readonly<Record<string, string>>
}

export const read = (text: string, { env = {}, file = "nightly.yaml" }: Options = {}): Effect.Effect<
  Decoded,
  ConfigFileError
> =>
  Effect.provideService(decode(text, file), ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { ...env } }))

/** Decodes a config file that is valid. Dies where it is not. */
export const documentOf = (text: string, options?: Options): Effect.Effect<Document> =>
  Effect.orDie(Effect.map(read(text, options), ({ document }) => document))

/** Decodes a config file that is invalid, and returns the lines of the error without the file's name. */
export const issueLines = (text: string, options?: Options): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.orDie(Effect.flip(read(text, options))),
    ({ file, message }) => message.split("\n").map((line) => line.replace(`${file}:`, ""))
  )

/** Decodes an arbitrary text. Where it is invalid, asserts that each issue points at a place in the text, and returns undefined. */
export const readArbitrary = (text: string, options: Options = {}): Effect.Effect<Decoded | undefined> =>
  Effect.match(read(text, options), {
    onFailure: (error) => {
      assert.equal(error._tag, "ConfigFileError")
      assert.ok(error.issues.length > 0)
      const lines = text.replace(/^\ufeff/, "").split("\n")
      for (const { expected, file, found, path, position } of error.issues) {
        assert.equal(file, options.file ?? "nightly.yaml")
        assert.ok(path.every((segment) => typeof segment === "string" || Number.isInteger(segment)))
        assert.ok(position !== undefined, expected)
        assert.ok(position.line >= 1 && position.line <= lines.length, `line ${position.line}: ${expected}`)
        const width = lines[position.line - 1]!.length
        assert.ok(position.column >= 1 && position.column <= width + 1, `column ${position.column}: ${expected}`)
        assert.ok(found !== "" && expected !== "")
        assert.ok(!/[\n\u0000-\u001f]/.test(found), JSON.stringify(found)) // oxlint-disable-line no-control-regex -- looks for control characters
      }
      return undefined
    },
    onSuccess: (decoded) => decoded
  })
