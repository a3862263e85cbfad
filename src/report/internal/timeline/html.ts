/**
 * Makes the page. It loads nothing, and its policy lets no script run but its own.
 *
 * The sources of the script are in `page/`. `scripts/page.ts` bundles them into `page.gen.ts`, as text that every
 * runtime imports like any other module, together with the hashes for the policy. A test checks that the bundle is up
 * to date. The alternatives fall short: functions as text (`toString`) lose what they import and what a user's bundler
 * renames or removes, a file that is read at run time is missing from a user's bundle, and a template string is neither
 * type-checked nor linted.
 */
import { htmlHead, noReferrer } from "../../../internal/text/html.ts"
import { palettes, stripes } from "./colors.ts"
import { isTrouble, type Row, type Timeline } from "./data.ts"
import { script, scriptHash, style, styleHash } from "./page.gen.ts"
import { svg } from "./svg.ts"
import { escape, jsonInHtml } from "./text.ts"
import { endings, took, totals } from "./words.ts"

/** Allows the script and the style with these hashes, and no script to write markup (https://www.w3.org/TR/CSP3/). */
export const policyOf = (isServed: boolean): string =>
  [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    ...(isServed ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join("; ")

/** Where the page is served from. */
export interface Served {
  /** The address of the list of all runs. */
  readonly back: string
  /** The address of the timelines of a run that goes on, as server-sent events. */
  readonly events: string | undefined
}

/** @internal */
export const html = (timeline: Timeline, served?: Served): string => {
  const { rows, title } = timeline
  const events = served?.events === undefined ? "" : ` data-events="${escape(served.events)}"`
  const goesOn = served?.events !== undefined
  const troubles = rows.filter((row) => row.kind === "step" && isTrouble(row, goesOn)).length
  const head = htmlHead({
    title: escape(title),
    style,
    attributes: events,
    metas: [`<meta http-equiv="Content-Security-Policy" content="${policyOf(served !== undefined)}">`, noReferrer]
  })
  return `${head}<body>
<header>
${served === undefined ? "" : `<nav><a href="${escape(served.back)}">All runs</a></nav>\n`}<h1 dir="auto">${
    escape(title)
  }</h1>
${subtitle(rows, goesOn)}
<div id="tools" role="toolbar" aria-label="Chart" hidden>
<input id="search" type="search" placeholder="Find steps" aria-label="Find steps" autocomplete="off" spellcheck="false">
<button id="troubles" aria-pressed="false">Only failures<span class="count">${troubles}</span></button>
<button id="fold" aria-pressed="false" title="Steps that are in others">Fold</button>
<button id="clock" aria-pressed="false" title="Times since the start of each run, in place of the clock">From start</button>
<span class="group">
<button id="out" aria-label="Zoom out" title="Zoom out (−)">−</button>
<button id="in" aria-label="Zoom in" title="Zoom in (+)">+</button>
<button id="fit" title="All of the time (0)">Fit</button>
</span>
<button id="theme">Dark theme</button>
</div>
</header>
<main id="main" hidden>
<div id="chart">
<div id="head"><div id="zone"></div><svg id="axis" aria-hidden="true"></svg></div>
<div id="scroll">
<div id="rows" role="tree" aria-label="Steps" aria-describedby="keys" tabindex="0"></div>
<p id="nothing" role="status" hidden></p>
</div>
</div>
<aside id="details" aria-label="Details" tabindex="-1" hidden></aside>
</main>
<footer hidden>
<ul id="legend" aria-label="Legend"></ul>
<p id="keys"><kbd>↑</kbd> <kbd>↓</kbd> steps, <kbd>←</kbd> <kbd>→</kbd> fold, <kbd>Enter</kbd> details, <kbd>n</kbd> next \
failure, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>Shift</kbd> <kbd>←</kbd> <kbd>→</kbd> pan; <kbd>Ctrl</kbd> and \
the wheel zoom, dragging pans</p>
</footer>
<section id="causes" aria-label="Failures" hidden></section>
<div id="tip" aria-hidden="true" hidden></div>
<svg id="patterns" aria-hidden="true"><defs>${patterns}</defs></svg>
<noscript><p>This page shows more, and details, where scripts may run.</p>
${svg(timeline, { palette: palettes.light, width: 1000, maxRows: 200 })}</noscript>
<script id="data" type="application/json">${jsonInHtml(timeline)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** Returns the time and outcome of a single run, and the totals of all runs. */
const subtitle = (rows: ReadonlyArray<Row>, goesOn: boolean): string => {
  const runs = rows.filter(({ kind }) => kind === "run")
  const [first] = runs
  const parts = [
    ...(first === undefined ? [] : [time(first.start)]),
    ...(runs.length === 1 && first !== undefined
      ? [
        `<strong class="ending ${first.ending}">${
          goesOn && first.ending === "cut" ? "running" : endings[first.ending]
        }</strong>`,
        escape(took(first))
      ]
      : []),
    escape(totals(rows))
  ]
  return `<p id="subtitle">${parts.join(" · ")}</p>`
}

/** Returns a time in UTC, which the script of the page replaces by one in the reader's time zone. */
const time = (millis: number): string => {
  const iso = new Date(millis).toISOString()
  return `<time datetime="${iso}">${iso}</time>`
}

const patterns = Object.entries(stripes).map(([name, d]) =>
  `<pattern id="stripes-${name}" width="6" height="6" patternUnits="userSpaceOnUse">` +
  `<rect class="under ${name}" width="6" height="6"/><path class="stripe" d="${d}"/></pattern>`
).join("")
