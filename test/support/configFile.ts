/** Config files as texts, and what is wrong with them. */
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

/** What it says. */
export const said = (text: string, options?: Options): Effect.Effect<Document> =>
  Effect.orDie(Effect.map(read(text, options), ({ document }) => document))

/** The lines of the error, less the name of the file. */
export const wrong = (text: string, options?: Options): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.orDie(Effect.flip(read(text, options))),
    ({ file, message }) => message.split("\n").map((line) => line.replace(`${file}:`, ""))
  )

/** Reads a text of any kind: either it says something, or each issue points at a place in it. */
export const readAnything = (text: string, options: Options = {}): Effect.Effect<Decoded | undefined> =>
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
        assert.ok(!/[\n\u0000-\u001f]/.test(found), JSON.stringify(found)) // oxlint-disable-line no-control-regex -- they are looked for
      }
      return undefined
    },
    onSuccess: (decoded) => decoded
  })
