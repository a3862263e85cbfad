import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { describe, expect, test } from "tstyche"
import type { ConfigFileError, Document, Loaded } from "../../src/config/index.ts"
import { load, loadPipeline } from "../../src/config/index.ts"
import { minSeverity } from "../../src/delivery/index.ts"

describe("load", () => {
  test("needs files, and fails with all that is wrong", () => {
    type Loading = Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path>
    expect(load("nightly.yaml")).type.toBe<Loading>()
    expect(load("nightly.yaml", { runName: "by hand", params: { TrainParams: { epochs: 3 } } })).type.toBe<Loading>()
    expect(loadPipeline("./etl.ts#pipeline")).type.toBe<Loading>()
    expect(loadPipeline).type.not.toBeCallableWith()
    expect(load).type.not.toBeCallableWith("nightly.yaml", { runname: "x" })
  })

  test("takes policies around the file's alerter", () => {
    expect(load).type.toBeCallableWith("nightly.yaml", { alerter: minSeverity("error") })
    expect(load).type.not.toBeCallableWith("nightly.yaml", { alerter: "slack" })
  })
})

describe("Document", () => {
  test("knows its keys", () => {
    expect<Document>().type.toBeAssignableFrom({
      pipeline: "./etl.ts#pipeline",
      stepHooks: { failure: ["./hooks.ts#page", { use: "epilogue#alerterFailure" }] },
      steps: { load: { retry: 3, inherit: { failure: "append" as const } } }
    })
    expect<Document>().type.not.toBeAssignableFrom({ stepHooks: { failed: "./hooks.ts#page" } })
    expect<Document>().type.not.toBeAssignableFrom({ steps: { load: { inherit: "over" } } })
  })
})
