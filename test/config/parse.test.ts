import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { documentOf, issueLines, read } from "../support/configFile.ts"
import { effectIsLinear } from "../support/growth.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const json = { file: "nightly.json" }

it.effect("positions in YAML and JSON are right with any line ending and with a byte order mark", () =>
  Effect.gen(function*() {
    const expected =
      "steps.a.timeout: expected a duration such as \"2 minutes\", a number of seconds more than 0, a map with the key limit, or false, "
      + "found \"x\""
    const lines = ["steps:", "  a:", "    timeout: x", ""]
    assert.deepEqual(yield* issueLines(lines.join("\n")), [`3:14 ${expected}`])
    assert.deepEqual(yield* issueLines(lines.join("\r\n")), [`3:14 ${expected}`])
    assert.deepEqual(yield* issueLines(`\ufeff${lines.join("\r\n")}`), [`3:14 ${expected}`])
    assert.deepEqual(yield* issueLines("\ufeffruName: 1"), [
      "1:1 ruName: expected one of the keys $schema, pipeline, public, runName, annotations, params, hooks, stepHooks, inherit, timeout, overdue, deadline, alerts, logs, "
      + "defaults, steps, alerter, language, record, monitor (did you mean runName?), found the key \"ruName\""
    ])
    const text = ["{ \"steps\": {", "    \"a\": {\"timeout\":", "\t\"x\"}", "} }"]
    assert.deepEqual(yield* issueLines(text.join("\n"), json), [`3:2 ${expected}`])
    assert.deepEqual(yield* issueLines(`\ufeff${text.join("\r\n")}`, json), [`3:2 ${expected}`])
  }))

it.effect("positionOf returns the position of a value, or of the nearest value around a missing one", () =>
  Effect.gen(function*() {
    const { positionOf } = yield* read("steps:\n  a:\n    hooks: { failure: [x#a, { use: x#b }] }\n  b: {}\n")
    assert.deepEqual(positionOf(["steps", "a", "hooks", "failure", 1, "use"]), { line: 3, column: 36 })
    assert.deepEqual(positionOf(["steps", "a", "hooks", "failure", 7]), { line: 3, column: 23 })
    assert.deepEqual(positionOf(["steps", "b", "hooks"]), { line: 4, column: 6 })
    assert.deepEqual(positionOf(["alerter"]), { line: 1, column: 1 })
  }))

it.effect("invalid YAML is an issue at its position, which shows no text of the file", () =>
  Effect.gen(function*() {
    const [flow] = yield* issueLines("steps: { a: [1\n")
    assert.match(flow!, /^2:1: expected valid YAML, found Flow sequence/)
    const [indent, ...others] = yield* issueLines("steps:\n  a: 1\n b: \"s3cret\n")
    assert.match(indent!, /^3:/)
    assert.ok(![indent, ...others].join().includes("s3cret"))
    assert.deepEqual(yield* issueLines(""), [
      "1:1: expected a map with keys such as pipeline, steps and alerter, found nothing"
    ])
    assert.deepEqual(yield* issueLines("runName: a\n---\nrunName: b\n"), [
      "2:1: expected one document in the file, found another after ---"
    ])
    assert.deepEqual(yield* issueLines("%YAML 1.1\n---\nrunName: a\n"), ["1:1: expected YAML 1.2, found YAML 1.1"])
    assert.deepEqual(yield* issueLines("runName: [.inf, 1]\nparams: { A: { b: .nan } }"), [
      "1:10 runName: expected a name, as text, found a list of 2",
      "1:11 runName[0]: expected text, a finite number, true, false or null, found .inf",
      "2:19 params.A.b: expected text, a finite number, true, false or null, found NaN"
    ])
  }))

it.effect("YAML tags are issues", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      yield* issueLines("params:\n  A: { b: !!binary aGk=, c: !mine x }\n  ? !!str d\n  : {}\nsteps: !!set {}\n"),
      [
        "2:20 params.A.b: expected a value without a tag, or quotes around a text that begins with !, found a tag",
        "2:35 params.A.c: expected a value without a tag, or quotes around a text that begins with !, found a tag",
        "3:11 params.d: expected a key without a tag, found the tag \"!!str\"",
        "5:14 steps: expected a value without a tag, or quotes around a text that begins with !, found the tag \"!!set\""
      ]
    )
  }))

it.effect("forbidden and duplicate keys are issues", () =>
  Effect.gen(function*() {
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const issue = `expected a key other than __proto__, constructor and prototype, found the key "${key}"`
      assert.deepEqual(yield* issueLines(`params:\n  A: { ${key}: { polluted: true } }\n`), [
        `2:8 params.A.${key}: ${issue}`
      ])
      assert.deepEqual(yield* issueLines(`{"params": {"A": {"${key}": {}}}}`, json), [`1:19 params.A.${key}: ${issue}`])
      assert.deepEqual(
        yield* issueLines(
          `{"params": {"A": {"\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${key.slice(1)}": {}}}}`,
          json
        ),
        [
          `1:19 params.A.${key}: ${issue}`
        ]
      )
    }
    assert.equal(Object.hasOwn(Object.prototype, "polluted"), false)
    assert.deepEqual(yield* issueLines("steps: { a: {}, b: {}, a: {} }\n"), [
      "1:24 steps.a: expected each key once (it is in line 1 already), found the key \"a\""
    ])
    assert.deepEqual(yield* issueLines("{\"runName\": \"a\",\n\"runName\": \"b\"}", json), [
      "2:1 runName: expected each key once (it is in line 1 already), found the key \"runName\""
    ])
    const [complex] = yield* issueLines("? [a, b]\n: c\n")
    assert.match(complex!, /^1:3/)
  }))

it.effect("a step may have the name of a method of Object", () =>
  Effect.gen(function*() {
    const { steps } = yield* documentOf("steps: { toString: { timeout: 1 }, hasOwnProperty: {} }")
    assert.deepEqual(Object.keys(steps!), ["toString", "hasOwnProperty"])
  }))

it.effect("aliases share the value of their anchor, and merge keys copy it", () =>
  Effect.gen(function*() {
    const { positionOf, document } = yield* read(`
steps:
  a: &base
    retry: &retry { times: 3, delay: 1 second }
    timeout: 5
  b: *base
  c:
    <<: *base
    timeout: 7
  d: { retry: { <<: [{ delay: 2 seconds }, *retry], jitter: true } }
`)
    const shown = JSON.parse(JSON.stringify(document.steps))
    assert.deepEqual(shown.b, shown.a)
    assert.equal(shown.c.retry.times, 3)
    assert.equal(shown.c.timeout.millis, 7000)
    assert.deepEqual([shown.d.retry.times, shown.d.retry.delay.millis, shown.d.retry.jitter], [3, 2000, true])
    assert.deepEqual(positionOf(["steps", "b"]), { line: 6, column: 6 })
    assert.deepEqual(positionOf(["steps", "b", "timeout"]), { line: 5, column: 14 })
    assert.deepEqual(yield* issueLines("params: &a { A: { b: *a } }"), [
      "1:22 params.A.b: expected the name of an anchor that ends before the alias, or quotes around a text that begins with *, found no such anchor"
    ])
    assert.match((yield* issueLines("params: { A: *b }"))[0]!, /^1:14/)
    assert.deepEqual(yield* issueLines("steps: { a: { <<: 1 } }"), [
      "1:19 steps.a[\"<<\"]: expected a map, or a list of maps, to merge, found something else"
    ])
  }))

it.live("files that expand exponentially by aliases are refused", () =>
  Effect.gen(function*() {
    const laughs = ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    for (let i = 1; i < 12; i++) {
      const before = String.fromCharCode(96 + i)
      const name = String.fromCharCode(97 + i)
      laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`)
    }
    const [first] = yield* issueLines(laughs.join("\n"))
    assert.match(first!, /^5:\d+ e\[\d+\].*: expected at most 50000 values, those of aliases included, found more$/)
    const merges = ["a0: &a0 { k: 1 }"]
    for (let i = 1; i < 40; i++) merges.push(`a${i}: &a${i} { x: { <<: *a${i - 1} }, y: { <<: *a${i - 1} } }`)
    assert.match((yield* issueLines(merges.join("\n")))[0]!, /expected at most/)
    const deep = ["a0: &a0 [1]"]
    for (let i = 1; i < 100; i++) deep.push(`a${i}: &a${i} [*a${i - 1}]`)
    assert.match((yield* issueLines(deep.join("\n"))).join("\n"), /64:.*expected at most 64 levels of nesting/)
  }))

it.live("files with 10,000 nested levels are refused in linear time", () =>
  Effect.gen(function*() {
    const levels = /expected at most 64 levels of nesting, found more$/
    const nests = (text: string, end = "", options?: { readonly file: string }) =>
      effectIsLinear(text, 10_000, (depth) =>
        Effect.map(issueLines(text.repeat(depth) + end.repeat(depth), options), (lines) =>
          assert.match(lines.join("\n"), levels, text)))
    for (const [text, end] of [["[", "]"], ["{a: ", "}"], ["["], ["- "], ["? "]] as const) {
      yield* nests(text, end)
    }
    for (const [text, end] of [["[", "]"], ["{\"a\":", "}"], ["["]] as const) {
      yield* nests(text, end, json)
    }
    // as indented lines, whose length grows with their depth
    for (const [depth, indent, text] of [[1_200, " ", "a:"], [600, "  ", "- a:"]] as const) {
      const lines = Array.from({ length: depth }, (_, i) =>
        indent.repeat(i) + text)
      assert.match((yield* issueLines(lines.join("\n"))).join("\n"), levels)
    }
    const nested = (depth: number) =>
      `params: { A: { a: ${"[".repeat(depth)}${"]".repeat(depth)} } }`
    yield* documentOf(nested(61))
    assert.match((yield* issueLines(nested(62))).join("\n"), levels)
  }))

it.live("files with too many bytes or values are refused", () =>
  Effect.gen(function*() {
    for (const file of ["a.yaml", "a.json"]) {
      assert.deepEqual(yield* issueLines("a: b\n".repeat(2_000_000), { file }), [
        "1:1: expected at most 1 MiB, found more"
      ])
      assert.deepEqual(yield* issueLines("é".repeat(600_000), { file }), ["1:1: expected at most 1 MiB, found more"])
    }
    yield* documentOf(`params: { A: { b: "${"x".repeat(1_000_000)}" } }`)
    assert.match((yield* issueLines(`a: [${"1,".repeat(500_000)}1]`))[0]!, /expected at most 50000 values/)
    assert.match((yield* issueLines(`[${"1,".repeat(500_000)}1]`, json))[0]!, /expected at most 50000 values/)
  }))

it.effect("control and invalid characters are an issue at their position", () =>
  Effect.gen(function*() {
    for (const [character, name] of [["\u0000", "0000"], ["\u001b", "001B"], ["\ufdd0", "FDD0"], ["\ud83d", "D83D"]]) {
      const expected = [`2:4: expected text without control or invalid characters, found the character U+${name}`]
      assert.deepEqual(yield* issueLines(`a: 1\nb: ${character}\n`), expected)
      assert.deepEqual(yield* issueLines(`{"a": 1,\n"b${character}": 2}`, json), [expected[0]!.replace("2:4", "2:3")])
    }
  }))

it.effect("a file that is not in UTF-8 is told by its encoding, and never decoded to other characters", () =>
  Effect.gen(function*() {
    const asUtf8 = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
    const text = "runName: a\n"
    const utf16 = asUtf8(new Uint8Array([0xff, 0xfe, ...Buffer.from(text, "utf16le")]))
    const found = ["1:1: expected text in UTF-8, found UTF-16, or a file that is no text"]
    assert.deepEqual(yield* issueLines(utf16), found)
    assert.deepEqual(yield* issueLines(utf16, json), found)
    assert.deepEqual(yield* issueLines(asUtf8(Buffer.from(text, "utf16le"))), found)
    assert.deepEqual(yield* issueLines(asUtf8(Buffer.from("runName: Jörg\n", "latin1"))), [
      "1:11: expected text in UTF-8, found bytes of another encoding"
    ])
  }))

it.effect("what other tools have in their files is told with what to write instead", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issueLines("x-d: &d { retry: 1 }\nextends: ./b.yaml\nsteps: { x-d: *d }"), [
      "1:1 x-d: expected an anchor at the first of the values that share it, as in load: &shared and train: *shared, "
      + "since each key sets something, found the key \"x-d\"",
      "2:1 extends: expected the settings that several files share in an epilogue.yaml without a pipeline, in this folder "
      + "or one above it, found the key \"extends\""
    ])
    const refused = "expected ${NAME} or ${NAME:-default} (write $${ for a literal ${), found"
    assert.deepEqual(yield* issueLines("annotations: { a: ${A-3}, b: ${B:?no, [b]}, c: ${C+d} }"), [
      `1:19 annotations.a: ${refused} "\${A-3}"`,
      `1:30 annotations.b: ${refused} "\${B:?no, [b]}"`,
      `1:48 annotations.c: ${refused} "\${C+d}"`
    ])
    assert.deepEqual(yield* issueLines("annotations: { a: ${A:-${B}} }"), [
      "1:19: expected a default without a variable in it, found ${NAME:-…${"
    ])
    assert.deepEqual(yield* issueLines("runName: {{ ds }}"), [
      "1:11: expected valid YAML, found braces around a text, which make a map: put the whole in quotes"
    ])
    assert.deepEqual(yield* issueLines("runName: ${NOT_SET:-}"), [
      "1:10 runName: expected a name, as text, found an empty text"
    ])
  }))

it.effect("JSON is read strictly, and the first syntax error is an issue at its position", () =>
  Effect.gen(function*() {
    const at = (text: string) => Effect.map(issueLines(text, json), ([line]) => line)
    assert.equal(yield* at("{\"a\": 1,}"), "1:9: expected a key in quotes, found \"}\"")
    assert.equal(yield* at("{\"a\" 1}"), "1:6 a: expected a colon after the key, found \"1\"")
    assert.equal(yield* at("{\"a\": 01}"), "1:8: expected a comma or }, found \"1\"")
    assert.equal(
      yield* at("{\"a\": [1, // no\n2]}"),
      "1:11 a[1]: expected a JSON value, found a comment, which YAML has, and JSON has not"
    )
    assert.equal(yield* at("{\"a\": NaN}"), "1:7 a: expected a JSON value, found \"N\"")
    assert.equal(yield* at("{\"a\": 1e999}"), "1:7 a: expected a finite number, found 1e999")
    // what may be a secret is not shown
    assert.equal(yield* at("{\"alerter\": 1e999}"), "1:13 alerter: expected a finite number, found a number")
    assert.equal(yield* at("{} {}"), "1:4: expected nothing after the value, found \"{\"")
    assert.equal(
      yield* at("{\"a\": \"x"),
      "1:7 a: expected a closing quote, and no control characters before it, found \"\\\"\""
    )
    assert.equal(
      yield* at("{\"a\": \"\t\"}"),
      "1:7 a: expected a closing quote, and no control characters before it, found \"\\\"\""
    )
    assert.equal(yield* at("[1"), "1:3: expected a comma or ], found the end of the file")
    assert.equal(yield* at(""), "1:1: expected a JSON value, found the end of the file")
    const { params } = yield* documentOf(
      "{\"params\": {\"A\": {\"a\\n\": [\"\\u00e9\\\"\", -0.5e1, true, null]}}}",
      json
    )
    assert.deepEqual(params!["A"], { "a\n": ["é\"", -5, true, null] })
  }))

it.effect("a file name that ends with neither .yaml, .yml nor .json is an issue", () =>
  Effect.gen(function*() {
    yield* documentOf("runName: a", { file: "A.YML" })
    assert.deepEqual(yield* issueLines("runName: a", { file: "a.toml" }), [
      "1:1: expected a file whose name ends with .yaml, .yml or .json, found another name"
    ])
  }))

it.effect("the error message shows the first hundred of all issues", () =>
  Effect.gen(function*() {
    const text = Array.from({ length: 250 }, (_, i) => `key${i}: 1`).join("\n")
    const { issues, message } = yield* Effect.flip(read(text))
    assert.equal(issues.length, 250)
    assert.equal(message.split("\n").length, 101)
    assert.ok(message.endsWith("… and 150 more"))
  }))

it.effect("a space that YAML takes for a letter is shown as such", () =>
  Effect.gen(function*() {
    const [line = ""] = yield* issueLines("\u00a0runName: a\n")
    assert.match(line, /\(did you mean runName\?\), found the key "\\u00a0runName"$/)
  }))

it.effect("a marker of a merge conflict is the only issue of its file", () =>
  Effect.gen(function*() {
    const conflict = "<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> other\n"
    const expected = "expected a file without merge conflicts, found the marker <<<<<<<"
    assert.deepEqual(yield* issueLines(`runName: a\n${conflict}`), [`2:1: ${expected}`])
    assert.deepEqual(yield* issueLines(`{\n${conflict}}`, json), [`2:1: ${expected}`])
  }))

it.effect("what follows from an error of the syntax is no issue of its own", () =>
  Effect.gen(function*() {
    assert.equal((yield* issueLines("{% if x %}\nrunName: a\nparams: { A: { b: 1 } }\n{% endif %}\n")).length, 1)
    assert.deepEqual(
      (yield* issueLines("runName: a\nsteps:\n  a:\n   retry: 3\n    timeout: 5s\nhooks: @x\n")).map((line) =>
        line.split(":", 1)[0]
      ),
      ["4", "6"]
    )
  }))

it.effect("an issue shows no text of a file without keys, nor of a secret that YAML takes for syntax", () =>
  Effect.gen(function*() {
    const secret = (value: string) => issueLines(`alerter:\n  webhook:\n    secret: ${value}\n`)
    for (
      const value of ["|s3cret", ">s3cret", "!s3cret", "*s3cret", "\"s3cret\\s", "@s3cret", "{s3cret: ", "s3cret: a"]
    ) {
      const shown = (yield* secret(value)).join("\n")
      assert.ok(!shown.includes("s3cret"), shown)
    }
    assert.deepEqual(yield* issueLines("SECRET=s3cret\n"), [
      "1:1: expected a map with keys such as pipeline, steps and alerter, found a text of 13 characters"
    ])
  }))
