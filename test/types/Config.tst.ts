import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { describe, expect, test } from "tstyche"
import { ConfigFile } from "../../src/config/index.ts"
import { minSeverity } from "../../src/delivery/index.ts"

describe("ConfigFile.load", () => {
  test("load needs files and paths, and fails with a ConfigFileError", () => {
    type Loading = Effect.Effect<ConfigFile.Loaded, ConfigFile.ConfigFileError, FileSystem.FileSystem | Path.Path>
    expect(ConfigFile.load("nightly.yaml")).type.toBe<Loading>()
    expect(ConfigFile.load("nightly.yaml", { runName: "by hand", params: { TrainParams: { epochs: 3 } } })).type.toBe<
      Loading
    >()
    expect(ConfigFile.loadPipeline("./etl.ts#pipeline")).type.toBe<Loading>()
    expect(ConfigFile.loadPipeline).type.not.toBeCallableWith()
    expect(ConfigFile.load).type.not.toBeCallableWith("nightly.yaml", { runname: "x" })
  })

  test("load accepts a policy for the file's alerter", () => {
    expect(ConfigFile.load).type.toBeCallableWith("nightly.yaml", { alerter: minSeverity("error") })
    expect(ConfigFile.load).type.not.toBeCallableWith("nightly.yaml", { alerter: "slack" })
  })
})

describe("ConfigFile.Document", () => {
  test("Document has the keys of the file", () => {
    expect<ConfigFile.Document>().type.toBeAssignableFrom({
      pipeline: "./etl.ts#pipeline",
      stepHooks: { failure: ["./hooks.ts#page", { use: "epilogue#alerterFailure" }] },
      steps: { load: { retry: 3, inherit: { failure: "append" as const } } }
    })
    expect<ConfigFile.Document>().type.not.toBeAssignableFrom({ stepHooks: { failed: "./hooks.ts#page" } })
    expect<ConfigFile.Document>().type.not.toBeAssignableFrom({ steps: { load: { inherit: "over" } } })
  })
})
