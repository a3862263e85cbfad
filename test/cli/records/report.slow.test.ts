/** `epilogue report`: charts of recorded runs, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { ended, idOf, recordsFolder, start, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const load = { stepName: "load", stepPath: ["load"], index: 0 }

const oneRecord = Effect.map(recordsFolder, ({ cwd, runs }) => {
  writeRecord(runs, {
    id: "a",
    lines: [
      { _tag: "StepStarted", at: start, ...load },
      { _tag: "StepEnded", at: start + 80, ...load, outcome: "success", attempts: 1, durationMillis: 80 },
      ended("success", 83)
    ]
  })
  return { cwd, runs }
})

const mermaid = (title: string) =>
  [
    "gantt",
    `    title ${title}`,
    "    dateFormat x",
    "    axisFormat %S.%L s",
    "    todayMarker off",
    "    section nightly · nightly-7, succeeded",
    `    load, 80 ms :done, ${start}, ${start + 80}`,
    ""
  ].join("\n")

/** The signature of a PNG file. */
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

it.live("report writes the page, both pictures and the Mermaid chart at once", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd } = yield* oneRecord
      const read = (name: string) => readFileSync(join(cwd, name))
      const files = ["--html", "a.html", "--svg", "a.svg", "--png", "a.png", "--mermaid=a.mmd"]
      const ran = yield* epilogue(runtime, ["report", "aa", ...files, "--title", "Tag & <Nacht>"], { cwd })
      assertExitCode(ran, 0)
      assert.equal(ran.stdout, "")
      assert.deepEqual(
        ran.stderr.replaceAll(/[\d.]+ KB/g, "n KB").split("\n"),
        [...["a.html", "a.svg", "a.png", "a.mmd"].map((name) => `wrote ${name} (n KB)`), ""]
      )
      assert.match(read("a.html").toString(), /^<!DOCTYPE html>[^]*<title>Tag &amp; &lt;Nacht&gt;[^]*<\/html>\s*$/)
      assert.match(read("a.svg").toString(), /^<svg [^]*Tag &amp; &lt;Nacht&gt;[^]*<\/svg>\s*$/)
      assert.deepEqual(read("a.png").subarray(0, 8), png)
      assert.equal(read("a.mmd").toString(), mermaid("Tag #38; #60;Nacht#62;"))
      assert.deepEqual(readdirSync(cwd).toSorted(), [".epilogue", "a.html", "a.mmd", "a.png", "a.svg"])
      const more = yield* epilogue(
        runtime,
        ["report", "aa", "--junit", "a.xml", "--markdown", "a.md", "--badge", "a.svg"],
        { cwd }
      )
      assertExitCode(more, 0)
      assert.match(read("a.xml").toString(), /<testsuite name="nightly · nightly-7" /)
      assert.match(read("a.md").toString(), /^### ✅ nightly · nightly-7\n/)
      assert.match(read("a.svg").toString(), /^<svg .*<title>nightly: succeeded · /)
    }))
  ))

it.live("a chart for standard output is all that is printed", () =>
  Effect.gen(function*() {
    const { cwd } = yield* oneRecord
    const report = (...args: ReadonlyArray<string>) =>
      Effect.map(epilogue("bun", ["report", ...args], { cwd }), (ran) => {
        assertExitCode(ran, 0)
        assert.equal(ran.stderr, "")
        return ran.stdout
      })
    assert.equal(yield* report("--mermaid"), mermaid("nightly · nightly-7"))
    // the argument after --mermaid is the run, not a file
    assert.equal(yield* report("--mermaid", idOf("a")), mermaid("nightly · nightly-7"))
    assert.match(yield* report("--html", "-"), /^<!DOCTYPE html>[^]*<\/html>\s*$/)
    const [light, dark] = [yield* report("--svg", "-"), yield* report("--svg", "-", "--theme", "dark")]
    assert.match(dark, /^<svg [^]*<\/svg>\s*$/)
    assert.notEqual(dark, light)
  }))

it.live("in GitHub Actions nothing in a chart that is printed is a command for the runner", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      const cause = "Error: bad\n::stop-commands::x\n  ##[error]y"
      writeRecord(runs, {
        id: "a",
        lines: [
          { _tag: "StepStarted", at: start, ...load },
          { _tag: "StepEnded", at: start + 80, ...load, outcome: "failure", attempts: 1, durationMillis: 80, cause },
          ended("failure", 83)
        ]
      })
      for (const format of ["--markdown=-", "--junit=-"]) {
        const ran = yield* epilogue(runtime, ["report", "aa", format], { cwd, env: { GITHUB_ACTIONS: "true" } })
        assertExitCode(ran, 0)
        assert.doesNotMatch(ran.stdout, /^\s*::|##\[/m, format)
      }
    }))
  ))

it.live("an existing file is replaced with its mode kept, no link is followed, and one that can't be written is left as it was", () =>
  Effect.gen(function*() {
    const { cwd } = yield* oneRecord
    const at = (name: string) => join(cwd, name)
    writeFileSync(at("page.html"), "before", { mode: 0o640 })
    symlinkSync("page.html", at("link.html"))
    mkdirSync(at("folder"))
    const report = (...args: ReadonlyArray<string>) => epilogue("bun", ["report", ...args], { cwd })
    for (const target of ["page.html", "nowhere"]) {
      unlinkSync(at("link.html"))
      symlinkSync(target, at("link.html"))
      const refused = yield* report("--html", "link.html")
      assertExitCode(refused, 1)
      assert.equal(
        refused.stderr,
        "error: can't write link.html: it is a symbolic link, which is not followed: name what it points to\n"
      )
    }
    assert.equal(readFileSync(at("page.html"), "utf8"), "before")
    const replaced = yield* report("--html", "page.html", "--svg", "/dev/null", "--mermaid=.epilogue/new.mmd")
    assertExitCode(replaced, 0)
    assert.match(readFileSync(at("page.html"), "utf8"), /^<!DOCTYPE html>/)
    if (process.platform !== "win32") {
      assert.equal(statSync(at("page.html")).mode & 0o777, 0o640)
      // the folder was made by somebody else, and the report is new
      assert.deepEqual(
        [".epilogue", ".epilogue/new.mmd"].map((name) => (statSync(at(name)).mode & 0o777).toString(8)),
        ["700", "600"]
      )
    }
    assert.ok(lstatSync(at("link.html")).isSymbolicLink())
    const cases: ReadonlyArray<readonly [target: string, why: string]> = [
      ["folder", "it is a folder, and a file is needed (EISDIR)"],
      ["gone/", "it is a folder, and a file is needed (EISDIR)"],
      ["page.html/page.html", "a part of the path is a file, and a folder is needed (ENOTDIR)"]
    ]
    for (const [target, why] of cases) {
      const ran = yield* report("--svg", target)
      assertExitCode(ran, 2)
      assert.equal(ran.stderr, `error: can't write ${target}: ${why}\n`)
      assert.equal(ran.stdout, "")
    }
    assertExitCode(yield* report("--svg", "made/page.svg"), 0)
    // root may write to any file
    if (process.getuid?.() !== 0) {
      chmodSync(at("page.html"), 0o400)
      const ran = yield* report("--mermaid=page.html")
      assertExitCode(ran, 1)
      assert.equal(ran.stderr, "error: can't write page.html: EACCES\n")
    }
    assert.deepEqual(readdirSync(cwd).toSorted(), [".epilogue", "folder", "link.html", "made", "page.html"])
  }))

it.live("mistakes exit with 2, and write no file", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* oneRecord
    writeFileSync(join(runs, "begun.jsonl"), "")
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [
        [],
        /^error: name what to make: --html, --svg, --png, --junit, --markdown or --badge with a FILE, or --mermaid\n$/
      ],
      [["--html="], /^error: the name of a file is empty\n$/],
      [["--png", "-"], /^error: --png needs a file/],
      [["--html", "x", "--svg", "./x"], /^error: two of the charts would be written to the same place\n$/],
      [["--html", "-", "--mermaid"], /^error: two of the charts would be written to the same place\n$/],
      [["b", "--html", "x"], /^error: .*no recorded run has an id that begins with "b"/],
      [[join(runs, "begun.jsonl"), "--html", "x"], /^error: .*nothing is recorded in it yet\n$/],
      [["--html", "x", "--theme", "blue"], /^error: .*--theme[^]*see: epilogue report --help\n$/]
    ]
    yield* Effect.forEach(cases, ([args, says]) =>
      Effect.map(epilogue("bun", ["report", ...args], { cwd }), (ran) => {
        assertExitCode(ran, 2)
        assert.equal(ran.stdout, "")
        assert.match(ran.stderr, says)
      }), { concurrency: 4 })
    assert.deepEqual(readdirSync(cwd), [".epilogue"])
  }))
