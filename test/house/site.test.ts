/** The site of the docs: its pages, its links and its search. `npm run docs` builds all of it. */
import { expect, test } from "bun:test"
import ts from "typescript-6"
import { parse } from "../../scripts/site/comments.ts"
import { relativeTo } from "../../scripts/site/html.ts"
import { brokenLinks, externalFault } from "../../scripts/site/links.ts"
import { renderPage, type Targets } from "../../scripts/site/markdown.ts"
import { excerpt, marked, search, type Section } from "../../scripts/site/page/search.ts"
import { pathOfPage } from "../../scripts/site/pages.ts"
import { signatureOf } from "../../scripts/site/signature.ts"

const targets: Targets = {
  link: (href) => href.replace(".md", ".html"),
  image: (href) => [{ src: href, theme: "light" }, { src: href.replace("light", "dark"), theme: "dark" }],
  code: (name) => name === "Step.make" ? "api/Step.html#make" : undefined
}

test("a page has the anchors of GitHub, links of the site, and names in code that lead to the reference", () => {
  const { headings, html, sections, title } = renderPage(
    "# The `page`\n\nSee [there](other.md#a) and `Step.make(\"a\")`, [`Step.make`](x.md).\n\n## A & B\n\ntext\n\n## A & B\n\n![alt](x-light.png)\n",
    targets
  )
  expect(title).toBe("The page")
  expect(headings.map(({ id }) => id)).toEqual(["the-page", "a--b", "a--b-1"])
  expect(html).toContain(
    "<a href=\"other.html#a\">there</a> and <a href=\"api/Step.html#make\"><code>Step.make(&quot;a&quot;)</code></a>"
  )
  expect(html).toContain("<a href=\"x.html\"><code>Step.make</code></a>")
  expect(html).toContain("<img src=\"x-dark.png\" alt=\"alt\" loading=\"lazy\" class=\"only-dark\">")
  expect(sections[1]).toEqual({ id: "a--b", heading: "A & B", text: "text" })
})

test("code and markup of a page can't become elements, and markup that the site does not know is refused", () => {
  const { html } = renderPage("# p\n\n`<b>` <!-- hidden -->\n\n```ts\nconst a = \"</code><script>\"\n```\n", targets)
  expect(html).not.toContain("<script>")
  expect(html).not.toContain("hidden")
  expect(html).toContain("<code>&lt;b&gt;</code>")
  expect(() => renderPage("# p\n\n<iframe src=\"x\"></iframe>\n", targets)).toThrow("the site does not show <iframe>")
})

test("addresses are relative, so that the site works in any folder", () => {
  expect(relativeTo("docs/a.html", "index.html")).toBe("../index.html")
  expect(relativeTo("api/alerters/Slack.html", "api/Alert.html#Field")).toBe("../Alert.html#Field")
  expect(relativeTo("docs/a.html", "docs/a.html#b")).toBe("#b")
  expect(pathOfPage("README.md")).toBe("index.html")
  expect(pathOfPage("docs/decisions/rollback.md")).toBe("docs/decisions/rollback.html")
})

test("broken links of the site are found, those of other sites by their syntax alone", () => {
  const page = (body: string) => `<!DOCTYPE html><body>${body}</body>`
  const site = new Map([
    [
      "index.html",
      page("<a href=\"docs/a.html#there\">a</a><a href=\"docs/a.html#gone\">b</a><a href=\"no.html\">c</a>")
    ],
    [
      "docs/a.html",
      page("<h2 id=\"there\"></h2><h2 id=\"there\"></h2><a href=\"/x\">d</a><img src=\"https://example.com/x.png\">")
    ]
  ])
  expect(brokenLinks(site)).toEqual([
    "index.html: docs/a.html#gone has no such heading",
    "index.html: no.html is no file of the site",
    "docs/a.html: /x does not work in a folder",
    "docs/a.html: https://example.com/x.png is of another site",
    "docs/a.html: the id there stands twice"
  ])
  expect(externalFault("https://example.com/a?b=c#d")).toBeUndefined()
  expect(externalFault("mailto:security@example.com")).toBeUndefined()
  expect([externalFault("https://"), externalFault("javascript:alert(1)"), externalFault("http://x")]).toEqual([
    "is no URL",
    "has the scheme javascript:",
    "has no host"
  ])
})

test("the search puts headings before texts, needs all words, and finds the starts of words", () => {
  const sections: ReadonlyArray<Section> = [
    ["a.html#1", "Policies", "Throttle", "Limits alerts. See dedupe."],
    ["a.html#2", "Policies", "Dedupe", "Holds back repeats of an alert."],
    ["b.html#1", "Steps", "", "A step is an Effect."]
  ]
  const found = (query: string) => search(sections, query).map(({ section }) => section[0])
  expect(found("dedupe")).toEqual(["a.html#2", "a.html#1"])
  expect(found("DEDU alert")).toEqual(["a.html#2", "a.html#1"])
  expect(found("steps effect")).toEqual(["b.html#1"])
  expect(found("steps throttle")).toEqual([])
  expect(found("  .*")).toEqual([])
  // a plural is found by its singular, and the name of a function by its words
  expect(found("step")).toEqual(["b.html#1"])
  expect(found("repeat")).toEqual(["a.html#2"])
  const names: ReadonlyArray<Section> = [
    ["api/delivery.html#minSeverity", "delivery", "minSeverity", "Drops alerts. Quiet at all hours."],
    ["api/delivery.html#quietHours", "delivery", "quietHours", "Holds alerts during quiet hours."],
    ["docs/retries.html#retries", "Retries", "", "Try again."],
    ["api/Step.html#retry", "Step", "retry", "Retries the body."],
    ["docs/running.html#docker", "Running", "Docker", "A container gets SIGTERM."],
    [
      "docs/running.html#signals",
      "Running",
      "Signals",
      "SIGTERM interrupts, SIGTERM again quits, and so on. SIGTERM of cron."
    ]
  ]
  const first = (query: string) => search(names, query)[0]?.section[0]
  expect(first("quiet hours")).toBe("api/delivery.html#quietHours")
  expect(first("retry")).toBe("docs/retries.html#retries")
  expect(first("SIGTERM")).toBe("docs/running.html#signals")
  expect(marked("An alert.", "alert")).toEqual([["An ", false], ["alert", true], [".", false]])
  expect(excerpt(`${"word ".repeat(50)}needle ${"word ".repeat(50)}`, "needle")).toMatch(/^… .*needle.* …$/)
})

test("a docstring is taken apart, and code in it that begins with @ is no tag", () => {
  const { tags, text } = parse(
    "/**\n * Does it.\n *\n * ```ts\n * @decorated\n * ```\n *\n * @see {@link a} for\n *   more\n * @since 1.0\n */"
  )
  expect(text).toBe("Does it.\n\n```ts\n@decorated\n```")
  expect(tags).toEqual({ see: ["{@link a} for\n  more"], since: ["1.0"] })
})

test("signatures have no bodies, and a class shows the type of the constant that it extends", () => {
  const name = "/module.ts"
  const text = `
const Base: new(fields: Fields) => Failure & Fields = undefined as never
interface Fields { readonly a: string }
interface Failure {}
export class Wrong extends Base {
  static make<A>(a: A): Wrong { return new Wrong(a) }
  get message(): string { return "" }
}
export const f = <A>(
  a: A
): Array<A> => [a]
`
  const host = ts.createCompilerHost({ noLib: true })
  const program = ts.createProgram({
    rootNames: [name],
    options: { noLib: true },
    host: {
      ...host,
      getSourceFile: (file) => file === name ? ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) : undefined
    }
  })
  const checker = program.getTypeChecker()
  const shown: Array<string> = []
  const visit = (node: ts.Node): void => {
    const isShown = ts.isClassDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node) ||
      (ts.isVariableDeclaration(node) && node.name.getText() === "f")
    if (isShown) shown.push(signatureOf(node, checker).text)
    ts.forEachChild(node, visit)
  }
  visit(program.getSourceFile(name)!)
  expect(shown).toEqual([
    "class Wrong extends Failure & Fields",
    "static make<A>(a: A): Wrong",
    "readonly message: string",
    "const f: <A>(\n  a: A\n) => Array<A>"
  ])
})
