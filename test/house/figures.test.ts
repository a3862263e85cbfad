/** The figures of `scripts/layers.ts`, on small trees. */
import { expect, test } from "bun:test"
import { cyclesOf, folderOf, grouped, importsOf, longestChain, partOf, splitUpward } from "../../scripts/layers.ts"

const tree = (files: Record<string, string>) => importsOf(new Map(Object.entries(files)))

test("an import counts in each of its forms, with or without values", () => {
  const imports = tree({
    "src/A.ts": `
      import "./B.ts"
      import type { C } from "./C.ts"
      export type { D } from "./D.ts"
      export * as E from "./E.ts"
      type F = import("./F.ts").F
      const g = () => import("./G.ts")
      import * as Effect from "effect/Effect"
    `,
    ...Object.fromEntries([..."BCDEFG"].map((name) => [`src/${name}.ts`, ""]))
  })
  expect([...imports.get("src/A.ts")!]).toEqual([..."BCDEFG"].map((name) => `src/${name}.ts`))
})

test("an area, the core's inside and each module of the surface are one part each", () => {
  const files = [
    "src/Step.ts",
    "src/internal/engine/run.ts",
    "src/config/internal/file/yaml.ts",
    "bench/steps.ts",
    "mod.ts"
  ]
  expect(files.map(partOf)).toEqual(["src/Step.ts", "src/internal", "src/config", "bench", "mod.ts"])
  expect(files.map(folderOf)).toEqual(["src/Step.ts", "src/internal/engine", "src/config", "bench", "mod.ts"])
  expect(folderOf("src/cli/run/signals.ts")).toBe("src/cli/run")
  expect(folderOf("src/cli/main.ts")).toBe("src/cli/main.ts")
})

test("types alone make a cycle of files, and one of folders where no file is in a cycle", () => {
  const files = tree({
    "src/A.ts": `export type { B } from "./internal/model/b.ts"`,
    "src/internal/model/b.ts": `import type { A } from "../../A.ts"`
  })
  expect(cyclesOf(files)).toEqual([["src/A.ts", "src/internal/model/b.ts"]])

  const apart = tree({
    "src/config/a.ts": `import "../report/a.ts"`,
    "src/report/a.ts": "",
    "src/report/b.ts": `import "../config/b.ts"`,
    "src/config/b.ts": ""
  })
  expect(cyclesOf(apart)).toEqual([])
  expect(cyclesOf(grouped(apart, folderOf))).toEqual([["src/config", "src/report"]])
})

test("the longest chain begins at the ground, and a cycle is one link of it", () => {
  const imports = tree({
    "src/Top.ts": `import "./Left.ts"\nimport "./Ground.ts"`,
    "src/Left.ts": `import "./Right.ts"`,
    "src/Right.ts": `import "./Left.ts"\nimport "./Ground.ts"`,
    "src/Ground.ts": ""
  })
  expect(longestChain(imports)).toEqual(["src/Ground.ts", "src/Left.ts <-> src/Right.ts", "src/Top.ts"])
})

test("what the core's inside imports from the surface runs against the layers", () => {
  const parts = grouped(
    tree({
      "src/Hook.ts": `import "./internal/model/hook.ts"`,
      "src/internal/model/hook.ts": `import type { Hook } from "../../Hook.ts"`
    }),
    partOf
  )
  const { layered, upward } = splitUpward(parts)
  expect(upward).toEqual(["src/Hook.ts"])
  expect(longestChain(layered)).toEqual(["src/internal", "src/Hook.ts"])
})
