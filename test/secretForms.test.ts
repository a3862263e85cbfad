/** Finds values and addresses in the forms in which texts quote them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { test } from "node:test"
import { withoutUrls } from "../src/internal/text/addresses.ts"
import { programForms } from "../src/internal/text/secretForms.ts"
import { scrubber, Secrets } from "../src/internal/text/secrets.ts"
import { canary } from "./support/canary.ts"
import { isLinear } from "./support/growth.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const entities = (text: string): string => text.replace(/[^a-z0-9]/gi, (unit) => `&#${unit.charCodeAt(0)};`)

const escapes = (text: string): string =>
  Array.from(text, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")

/** The ways in which a text may quote a value. */
const forms: Readonly<Record<string, (value: string) => string>> = {
  "as it is": (value) => value,
  "in JSON": (value) => JSON.stringify({ value }),
  "in JSON with escaped slashes": (value) => JSON.stringify({ value }).replaceAll("/", "\\/"),
  "in JSON in JSON": (value) => JSON.stringify({ value: JSON.stringify({ value }) }),
  "as Unicode escapes": (value) => Array.from({ length: value.length }, (_, i) => escapes(value[i]!)).join(""),
  "percent-encoded": encodeURIComponent,
  "percent-encoded in small letters": (value) =>
    encodeURIComponent(value).replace(/%../g, (encoded) => encoded.toLowerCase()),
  "percent-encoded twice": (value) => encodeURIComponent(encodeURIComponent(value)),
  "percent-encoded but for the slashes": encodeURI,
  "in a query": (value) => new URLSearchParams({ value }).toString(),
  "in a query in JSON": (value) => JSON.stringify({ url: `/?${new URLSearchParams({ value }).toString()}` }),
  "with HTML entities": entities,
  "in base64": (value) => Buffer.from(value).toString("base64"),
  "in base64 after one byte": (value) => Buffer.from(`:${value}:`).toString("base64"),
  "in base64 after two bytes": (value) => Buffer.from(`u:${value}`).toString("base64"),
  "in base64url": (value) => Buffer.from(`user:${value}`).toString("base64url"),
  "in JSON in base64": (value) => Buffer.from(JSON.stringify({ value })).toString("base64"),
  "percent-encoded in base64": (value) => Buffer.from(`user:${encodeURIComponent(value)}`).toString("base64"),
  "in base64 with what is before it in a URL": (value) => Buffer.from(`https://${value}`).toString("base64"),
  "in base64 in a query": (value) => encodeURIComponent(Buffer.from(value).toString("base64"))
}

/** Every form of the part of a value that must not be left. */
const traces = (part: string): ReadonlyArray<string> => [
  part,
  escapes(part),
  ...[0, 1, 2].map((before) => Buffer.from("x".repeat(before) + part).toString("base64").slice(before + 1, -3))
]

it.effect("a value is found in every form in which a text may quote it", () =>
  forAll(Schema.Struct({ before: Schema.String, after: Schema.String }), ({ after, before }) =>
    Effect.sync(() => {
      const value = `${before.toWellFormed()}/${canary}+1/${after.toWellFormed()}`.trim()
      const scrub = scrubber([value])
      for (const [name, quote] of Object.entries(forms)) {
        const scrubbed = scrub(`failed: ${quote(value)} (500)`)
        for (const trace of traces(canary)) assert.ok(!scrubbed.includes(trace), `${name}: ${scrubbed}`)
        assert.match(scrubbed, /^failed: .*\(500\)$/s, name)
      }
    }), 100))

const bytesOf = (value: string): ReadonlyArray<number> => [...Buffer.from(value)]

const hexOf = (byte: number): string => byte.toString(16).padStart(2, "0")

const wide = (value: string): Buffer => Buffer.from(value, "utf16le")

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** The ways in which a program may print a value that a guard keeps. */
const programs: Readonly<Record<string, (value: string) => string>> = {
  "as numbers of bytes": (value) => bytesOf(value).join(),
  "as a buffer in JSON": (value) => JSON.stringify(Buffer.from(value)),
  "as an array of bytes in JSON": (value) => JSON.stringify(new Uint8Array(bytesOf(value))),
  "as bytes in several lines": (value) => `[\n  ${bytesOf(value).join(",  ").replace(/(.{30,40},) /g, "$1\n ")}\n]`,
  "as hexadecimal numbers": (value) => bytesOf(value).map((byte) => `0x${hexOf(byte)}`).join(", "),
  "as digits between colons": (value) => bytesOf(value).map(hexOf).join(":"),
  "as octal escapes": (value) => bytesOf(value).map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
  "as escapes of bytes": (value) => bytesOf(value).map((byte) => `\\x${hexOf(byte)}`).join(""),
  "quoted-printable": (value) => bytesOf(value).map((byte) => `=${hexOf(byte).toUpperCase()}`).join(""),
  "quoted-printable in two lines": (value) => `${value.slice(0, 9).replaceAll("=", "=3D")}=\r\n${value.slice(9)}`,
  "in the trace of a shell": (value) => `'${value.replaceAll("'", `'\\''`)}'`,
  "with spaces as a shell writes them": (value) => value.replaceAll(" ", "\\ "),
  "in SQL": (value) => value.replaceAll("'", "''"),
  "in base64 in base64": (value) => base64(`auth=${base64(`user:${value}`)}`),
  "in JSON in base64 in JSON in base64": (value) => base64(JSON.stringify({ auth: base64(`user:${value}`) })),
  "in a form in base64": (value) => base64(new URLSearchParams({ user: value }).toString()),
  "in base64 of UTF-16": (value) => wide(value).toString("base64"),
  "as hexadecimal digits of UTF-16": (value) => wide(value).toString("hex"),
  "as capital hexadecimal digits of UTF-16": (value) => wide(value).toString("hex").toUpperCase(),
  "as digits of UTF-16 between spaces": (value) => wide(value).toString("hex").replace(/../g, "$& "),
  "as digits of UTF-16 between colons": (value) => wide(value).toString("hex").replace(/..(?=.)/g, "$&:"),
  "as numbers of bytes of UTF-16": (value) => JSON.stringify([...wide(value)])
}

for (const value of ["tok_0123456789/aBcDeF==", "it's a pass wörd ключ", "hunter2!'x"]) {
  for (const [name, print] of Object.entries(programs)) {
    test(`${value} is found ${name}`, () => {
      const { scrub } = new Secrets([value], programForms)
      const scrubbed = scrub(`got ${print(value)} here`)
      assert.match(scrubbed, /^got [^]*<redacted>[^]* here$/)
      assert.ok(scrubbed.length < 60, scrubbed)
    })
  }
}

test("a value is found as hexadecimal digits of UTF-16, the byte of each character that is 0 first", () => {
  const { scrub } = new Secrets(["tok_0123456789/aBcDeF=="], programForms)
  const digits = wide("tok_0123456789/aBcDeF==").swap16().toString("hex")
  assert.equal(scrub(`got ${digits} here`), "got 00<redacted> here")
})

test("numbers, quotes and escapes that are no value stay as they are", () => {
  const { scrub } = new Secrets(["tok_0123456789", "1, 2, 3"], programForms)
  for (const text of ["[1, 22, 333, 4, 255]", "a=b, c=3D, =\n", `{"0":116,"1":111}`, "0x74, 0x6f", "C:\\164\\157"]) {
    assert.equal(scrub(text), text)
  }
})

test("a value that is wrapped over lines is found", () => {
  const scrub = scrubber(["tok_0123456789abcdef", "correct horse battery"])
  for (
    const text of [
      "tok_0123\n456789abcdef",
      "tok_0123\r\n      456789\n\tabcdef",
      "'tok_0123' +\n  '456789abcdef'",
      JSON.stringify("tok_0123\n  456789abcdef"),
      "correct horse\n  battery",
      "correct ho\nrse battery"
    ]
  ) assert.match(scrub(`a ${text} b`), /^a ['"]?<redacted>['"]? b$/, text)
})

test("a value in capitals, in small letters or as hexadecimal digits is found, unless it may be a word", () => {
  const scrub = scrubber(["Tok_0123456789abcDef", "Saturday"])
  const hex = Buffer.from("Tok_0123456789abcDef").toString("hex")
  for (
    const quoted of [
      "TOK_0123456789ABCDEF",
      "tok_0123456789abcdef",
      hex,
      hex.toUpperCase(),
      hex.replace(/../g, "$& ").trim(),
      `00ff${hex}00ff`.slice(4, -4)
    ]
  ) assert.equal(scrub(`a ${quoted} b`), "a <redacted> b", quoted)
  assert.equal(scrub("each saturday, on SATURDAY, Saturday"), "each saturday, on SATURDAY, <redacted>")
  assert.equal(scrub("546f6b5f30"), "546f6b5f30")
})

test("a value is found though a program has coloured a part of it", () => {
  const scrub = scrubber(["tok_0123456789abcdef"])
  const red = (text: string) => `\u001b[01;31m\u001b[K${text}\u001b[m\u001b[K`
  for (
    const text of [`tok_${red("0123")}456789abcdef`, `tok_0123456${red("789abcdef")}`, red("tok_0123456789abcdef")]
  ) {
    // the sequences around it may be left
    for (const quoted of [text, JSON.stringify(text)]) {
      assert.equal(scrub(`a ${quoted} b`).match(/<redacted>/g)?.length, 1, quoted)
      assert.doesNotMatch(scrub(`a ${quoted} b`), /tok|0123|789|abc|def/)
    }
  }
  assert.equal(scrub("\u001b[31mred\u001b[0m \u001b"), "\u001b[31mred\u001b[0m \u001b")
})

test("a line of a value of several lines is found alone, unless it may be a word", () => {
  const scrub = scrubber([
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n  hkiG9w0B+QEF=\nservices\n-----END PRIVATE KEY-----\n"
  ])
  assert.equal(scrub("got MIIEvQIBADANBgkq"), "got <redacted>")
  assert.equal(scrub("hkiG9w0B+QEF="), "<redacted>")
  assert.equal(scrub("no services"), "no services")
})

test("a value with a tab is found where a space stands for the tab", () => {
  assert.equal(scrubber(["user\tpa55word"])("got user pa55word"), "got <redacted>")
})

test("what is left of a value that was cut is found", () => {
  const scrub = scrubber(["tok_0123456789abcdef"])
  const shown = {
    "at tok_0123456789": "at <redacted>",
    "at tok_012345\n    at main": "at <redacted>\n    at main",
    "at tok_01234… more": "at <redacted>… more",
    "at tok_01234... more": "at <redacted>... more",
    "at tok_01234567\n… 7 characters left out …\n89abcdef end":
      "at <redacted>\n… 7 characters left out …\n<redacted> end",
    "23456789abcdef end": "<redacted> end",
    // too little to tell
    "at tok_0": "at tok_0"
  }
  for (const [text, scrubbed] of Object.entries(shown)) assert.equal(scrub(text), scrubbed)
})

test("a text that only resembles a value is left as it is", () => {
  const scrub = scrubber([
    "nightly-etl-eu",
    "postgres://user:pa55word@db.example.com/nightly",
    "https://hooks.example.com/services/data-platform-alerts",
    "abc"
  ])
  for (
    const text of [
      "nightly-etl failed",
      "can't reach db.example.com",
      "postgres:// is no URL",
      "no user nightly",
      "GET https://hooks.example.com: 500",
      "no services for data-platform-alerts",
      "abc"
    ]
  ) assert.equal(scrub(text), text)
})

test("the password, the path and the tokens of a URL are found alone", () => {
  const scrub = scrubber(["https://me:pa55@hooks.example.com/services/T0/B0/x?sig=aB1%2Bc9Zk4n&v=1"])
  assert.equal(
    scrub("pa55, /services/T0/B0/x, aB1%2Bc9Zk4n, aB1+c9Zk4n, services"),
    "<redacted>, <redacted>, <redacted>, <redacted>, services"
  )
})

test("values may be added after the first search", () => {
  const secrets = new Secrets(["first-value"])
  assert.equal(secrets.scrub("first-value second-value"), "<redacted> second-value")
  secrets.add(["second-value"])
  assert.equal(secrets.scrub("first-value second-value"), "<redacted> <redacted>")
})

test("a million characters are searched for fifty values in linear time", () => {
  const { scrub } = new Secrets(
    Array.from({ length: 50 }, (_, i) => `secret-${i}-${"z".repeat(40)}-${i}`),
    programForms
  )
  const odds = [
    "lorem ipsum ",
    "secret-1",
    "z",
    "a \n",
    "%41",
    "\\",
    "&",
    "…",
    "' +\n",
    " ",
    "1,",
    "=3D",
    "=\n",
    "0x41,"
  ]
  for (const odd of odds) {
    isLinear(JSON.stringify(odd), 1_000_000, (length) => scrub(odd.repeat(length / odd.length)))
  }
})

test("an address in a text of unknown origin is replaced, however it is written", () => {
  const path = `services/T0/${canary}`
  const address = `https://hooks.example.com/${path}`
  for (
    const text of [
      address,
      `{"url":"${address.replaceAll("/", "\\/")}"}`,
      `redirect=${encodeURIComponent(address)}`,
      `redirect=${encodeURIComponent(address).toLowerCase()}`,
      encodeURIComponent(encodeURIComponent(address)),
      entities(address),
      `hooks.example.com/${path}: ENOTFOUND`,
      `10.0.0.1:8080/${path}`,
      `localhost:3000/${path}`,
      `url=//hooks.example.com/${path}`,
      address.replace(canary, `a'b"${canary}`),
      address.replace(`/${canary}`, `/\n${canary}`),
      `postgres:us3r:${canary}@db`,
      `dsn='postgres://us3r:${canary}@db/x'`
    ]
  ) {
    const shown = withoutUrls(`POST ${text} failed`)
    assert.ok(!shown.includes(canary) && shown.includes("<url>") && /^POST .* failed$/.test(shown), `${text}: ${shown}`)
  }
  for (
    const text of [
      "at main (/srv/app/main.js:10:3)",
      "no ./nightly.yaml#etl here",
      "application/json, a/b.c/d, 1.5/2",
      "// a comment",
      "write to bob@example.com at 10:30"
    ]
  ) assert.equal(withoutUrls(text), text)
})

test("addresses in a million characters are replaced in linear time", () => {
  for (const odd of ["a.", "=", "//", ":@", "(a.b", "https://", "x/\n", "a@b:", "https://a/\n", "%2F"]) {
    isLinear(JSON.stringify(odd), 1_000_000, (length) => withoutUrls(odd.repeat(length / odd.length)))
  }
})
