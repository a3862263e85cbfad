/** The frame of a page: header, navigation, table of contents, and the pages before and after it. */
import { escape, relativeTo } from "./html.ts"
import type { Rendered } from "./markdown.ts"
import type { Entry, Group } from "./pages.ts"

/**
 * Scripts, styles and images of the site alone. Nothing is requested from elsewhere, no text of a page can become a script,
 * and no other page can be opened in a frame.
 */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

export interface Frame {
  /** The path of the page in the site. */
  readonly path: string
  readonly groups: ReadonlyArray<Group>
}

const link = (from: string, { path, title }: Entry): string =>
  `<a href="${relativeTo(from, path)}"${path === from ? ` aria-current="page"` : ""}>${escape(title)}</a>`

const navigation = ({ groups, path }: Frame): string =>
  groups.map(({ entries, title }) =>
    `<p class="group">${escape(title)}</p>\n<ul>\n${
      entries.map((entry) => `<li>${link(path, entry)}</li>`).join("\n")
    }\n</ul>`
  ).join("\n")

const contents = ({ headings }: Rendered): string => {
  const listed = headings.filter(({ depth }) => depth === 2 || depth === 3)
  const item = ({ depth, html, id }: (typeof listed)[number]) =>
    `<li class="depth-${depth}"><a href="#${id}">${html}</a></li>`
  return listed.length < 2
    ? ""
    : `<nav class="contents" aria-label="On this page">
<details open><summary>On this page</summary>
<ul>\n${listed.map(item).join("\n")}\n</ul>
</details>
</nav>`
}

const neighbours = ({ groups, path }: Frame): string => {
  const all = groups.flatMap(({ entries }) => entries)
  const at = all.findIndex((entry) => entry.path === path)
  const to = (label: string, entry: Entry | undefined, rel: string) =>
    entry === undefined
      ? ""
      : `<a rel="${rel}" href="${relativeTo(path, entry.path)}"><span>${label}</span> ${escape(entry.title)}</a>`
  return at === -1 ? "" : `<nav class="neighbours" aria-label="Next and previous page">
${to("Previous", all[at - 1], "prev")}
${to("Next", all[at + 1], "next")}
</nav>`
}

/** Returns a whole page. */
export const pageHtml = (page: Rendered, frame: Frame): string => {
  const { path } = frame
  const to = (file: string) => relativeTo(path, file)
  const section = path.startsWith("api/") ? "api" : "docs"
  const tab = (of: typeof section, file: string, title: string) =>
    `<a href="${to(file)}"${of === section ? ` aria-current="true"` : ""}>${title}</a>`
  const title = path === "index.html" ? page.title : `${page.title} · effect-epilogue`
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escape(title)}</title>
<link rel="icon" href="${to("icon.svg")}">
<link rel="stylesheet" href="${to("style.css")}">
<script src="${to("theme.js")}"></script>
<script src="${to("site.js")}" defer></script>
</head>
<body data-index="${to("search-index.js")}">
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="home" href="${to("index.html")}">effect-epilogue</a>
<nav class="tabs" aria-label="Parts">${tab("docs", "index.html", "Docs")} ${tab("api", "api/index.html", "API")}</nav>
<search hidden>
<input type="search" role="combobox" placeholder="Search" aria-label="Search the docs" aria-expanded="false" aria-controls="results" aria-autocomplete="list" autocomplete="off" spellcheck="false">
<ul id="results" role="listbox" aria-label="Results" hidden></ul>
<p class="status" role="status"></p>
</search>
<button type="button" class="theme" hidden><span>Theme:</span> <b>system</b></button>
</header>
<div class="columns">
<nav class="pages" aria-label="Pages"><details open><summary>Pages</summary>
${navigation(frame)}
</details></nav>
<main id="content" tabindex="-1">
${contents(page)}
<article>
${page.html}
</article>
${neighbours(frame)}
</main>
</div>
</body>
</html>
`
}
