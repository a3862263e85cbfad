/** A strict parser of XML without a document type. */
import * as assert from "node:assert/strict"

// https://www.w3.org/TR/xml/#charsets
// oxlint-disable-next-line no-control-regex -- the set of characters that XML allows
const characters = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u
const name = "[A-Za-z_][\\w.-]*"
const tag = new RegExp(`^<(/?)(${name})((?:\\s+${name}="[^"<]*")*)\\s*(/?)>`)
const references = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/

/** Asserts that text is well-formed XML, and returns its elements in order, each with the names of its attributes. */
export const assertWellFormed = (xml: string): ReadonlyArray<string> => {
  assert.match(xml, characters)
  const open: Array<string> = []
  const elements: Array<string> = []
  let rest = xml
  while (rest !== "") {
    const text = /^[^<]+/.exec(rest)?.[0] ?? ""
    assert.doesNotMatch(text, references)
    assert.ok(!text.includes("]]>"))
    if (text !== "") assert.ok(open.length > 0 || text.trim() === "", `text outside of elements: ${text}`)
    rest = rest.slice(text.length)
    if (rest === "") break
    const found = tag.exec(rest)
    assert.ok(found !== null, `no tag: ${rest.slice(0, 80)}`)
    const [whole, end, element, attributes, empty] = found as unknown as [string, string, string, string, string]
    assert.doesNotMatch(attributes, references)
    const names = [...attributes.matchAll(new RegExp(`(${name})="[^"]*"`, "g"))].map((match) => match[1]!)
    if (end === "/") assert.equal(open.pop(), element)
    else {
      assert.ok(open.length > 0 || elements.length === 0, "a second root")
      assert.equal(new Set(names).size, names.length, `an attribute twice: ${whole}`)
      elements.push([element, ...names].join(" "))
      if (empty === "") open.push(element)
    }
    rest = rest.slice(whole.length)
  }
  assert.deepEqual(open, [])
  return elements
}
