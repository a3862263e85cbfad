/** Makes the panel with all details of a row, and the tip at the pointer. */
import { formatDuration } from "../../../../internal/text/duration.ts"
import type { Entry, Hook, Row } from "../data.ts"
import { hookShapes } from "../legend.ts"
import { icons } from "../shapes.ts"
import { count, endings, outcomes, took, tookMillis } from "../words.ts"
import { h, svg } from "./dom.ts"
import { timeElement } from "./time.ts"

/** @internal */
export interface Actions {
  readonly close: () => void
  readonly zoom: () => void
  /** The fragment of the address of the row, or nothing. */
  readonly fragment: string
}

/** Makes a link to a step, and a button that copies it, where the browser lets pages do so. */
const links = (fragment: string): ReadonlyArray<Node | string> => {
  const button = h("button", {}, "Copy link")
  button.addEventListener("click", () => {
    void navigator.clipboard.writeText(`${location.href.split("#", 1)[0]}${fragment}`).then(
      () => button.replaceChildren("Copied"),
      () => button.replaceChildren("Can't be copied")
    )
  })
  const link = h("a", { href: fragment }, "Link to this step")
  return "clipboard" in navigator ? [link, " ", button] : [link]
}

export const details = (row: Row, { close, fragment, zoom }: Actions): ReadonlyArray<Node> => {
  const closeButton = h("button", { "aria-label": "Close details", class: "close" }, "✕")
  const zoomButton = h("button", {}, "Zoom to it")
  closeButton.addEventListener("click", close)
  zoomButton.addEventListener("click", zoom)
  return [
    h("div", { class: "top" }, h("h2", { dir: "auto" }, row.name), closeButton),
    h(
      "p",
      {},
      svg("svg", { class: `icon ${row.ending}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, iconPath(row)),
      h("strong", { class: `ending ${row.ending}` }, endings[row.ending]),
      ` · ${took(row)} `,
      zoomButton
    ),
    ...(fragment === "" ? [] : [h("p", {}, ...links(fragment))]),
    ...cause(row.cause),
    list(
      row.facts.map(fact),
      ["Started", timeElement(row.start)],
      [row.ending === "cut" ? "Last heard of" : "Ended", timeElement(row.end)]
    ),
    ...section("Parameters", row.params),
    ...section("Annotations", row.annotations),
    ...attempts(row),
    ...hooks(row),
    ...alerts(row),
    ...logs(row)
  ]
}

const iconPath = ({ ending }: Row): SVGPathElement => svg("path", { d: icons[ending] })

const fact = ({ name, value }: Entry): readonly [string, string] => [name, value]

const list = (
  facts: ReadonlyArray<readonly [string, Node | string]>,
  ...more: ReadonlyArray<readonly [string, Node | string]>
): HTMLElement =>
  h(
    "dl",
    {},
    ...[...facts, ...more].map(([name, value]) =>
      h("div", {}, h("dt", { dir: "auto" }, name), h("dd", { dir: "auto" }, value))
    )
  )

const section = (title: string, entries: ReadonlyArray<Entry>): ReadonlyArray<Node> =>
  entries.length === 0 ? [] : [h("h3", {}, title), list(entries.map(fact))]

export const cause = (text: string | undefined): ReadonlyArray<Node> =>
  text === undefined ? [] : [h("pre", { dir: "auto" }, text)]

const logs = ({ logs = [] }: Row): ReadonlyArray<Node> =>
  logs.length === 0
    ? []
    : [
      h("h3", {}, "Log"),
      h(
        "ol",
        { class: "plain log" },
        ...logs.flatMap(({ at, level, message, omitted }) => [
          ...(omitted === 0 ? [] : [h("li", {}, `… ${count(omitted, "message")} left out`)]),
          ...(message === ""
            ? []
            : [h(
              "li",
              {},
              timeElement(at, true),
              ...(level === "Info" ? [] : [" ", h("strong", {}, level.toUpperCase())]),
              " ",
              h("span", { dir: "auto" }, message)
            )])
        ])
      )
    ]

const attempts = (row: Row): ReadonlyArray<Node> =>
  row.attempts.length < 2
    ? []
    : [
      h("h3", {}, "Attempts"),
      h(
        "ol",
        { class: "plain" },
        ...row.attempts.map((attempt, index) =>
          h(
            "li",
            {},
            h("strong", {}, `${index + 1}`),
            ` ${attemptLine(row, index)} · `,
            timeElement(attempt.start, true),
            // the cause of the last attempt is that of the step, shown above
            ...(index === row.attempts.length - 1 ? [] : cause(attempt.cause))
          )
        )
      )
    ]

const attemptLine = (row: Row, index: number): string => {
  const attempt = row.attempts[index]!
  if (attempt.start > row.end) return "had yet to begin"
  const next = row.attempts[index + 1]
  const wait = next === undefined ? "" : `, then a wait of ${formatDuration(next.start - attempt.end)}`
  return `${endings[attempt.ending]} after ${took(attempt)}${wait}`
}

const hooks = ({ hooks }: Row): ReadonlyArray<Node> =>
  hooks.length === 0
    ? []
    : [
      h("h3", {}, "Hooks"),
      h(
        "ul",
        { class: "plain" },
        ...hooks.map((hook) =>
          h(
            "li",
            {},
            sign(hook),
            h("strong", { dir: "auto" }, hook.name),
            ` ${hookLine(hook)}`,
            ...cause(hook.cause)
          )
        )
      )
    ]

const alerts = ({ alerts = [] }: Row): ReadonlyArray<Node> =>
  alerts.length === 0
    ? []
    : [
      h("h3", {}, "Alerts"),
      h(
        "ul",
        { class: "plain" },
        ...alerts.map(({ at, cause: why, result, severity, text, title }) =>
          h(
            "li",
            {},
            timeElement(at, true),
            " ",
            h("strong", { dir: "auto" }, title),
            ` (${severity}): `,
            h("span", result === "failed" ? { class: "what" } : {}, text),
            ...cause(why)
          )
        )
      )
    ]

const origins: Readonly<Record<Hook["level"], string>> = {
  step: "",
  pipeline: ", from the pipeline",
  default: ", from the defaults"
}

const hookLine = (hook: Hook): string => {
  const ran = hook.outcome === "skipped"
    ? ""
    : `, ${hook.outcome === "cut" ? "≥ " : ""}${formatDuration(tookMillis(hook))}`
  const from = origins[hook.level]
  return `on ${hook.kind}: ${outcomes[hook.outcome]}${ran}${from}`
}

/** Draws the sign of a hook as in the chart, where it is at the bottom of a row. */
const sign = ({ outcome }: Hook): SVGSVGElement =>
  svg(
    "svg",
    { class: "icon sign", viewBox: "0 16 16 16", "aria-hidden": "true" },
    ...hookShapes(outcome, 0).map(({ d, look }) => svg("path", { class: look, d }))
  )

/** Returns the first line of a cause: the message without the stack. */
const firstLine = (text: string | undefined): ReadonlyArray<Node> =>
  text === undefined ? [] : [h("div", { class: "what", dir: "auto" }, text.split("\n", 1)[0]!.slice(0, 300))]

/** Makes the tip for what the pointer is on: a hook, an attempt, or the row. */
export const tip = (row: Row, part: string | undefined): ReadonlyArray<Node> => {
  const [of, number] = part?.split(":") ?? []
  const index = Number(number)
  const hook = of === "hook" ? row.hooks[index] : undefined
  if (hook !== undefined) {
    return [
      h("strong", { dir: "auto" }, hook.name),
      h("div", {}, `hook ${hookLine(hook)}`),
      ...firstLine(hook.cause)
    ]
  }
  const attempt = of === "attempt" ? row.attempts[index] : undefined
  return [
    h("strong", { dir: "auto" }, row.name),
    attempt === undefined
      ? h("div", {}, `${endings[row.ending]} · ${took(row)}`)
      : h("div", {}, `attempt ${index + 1} of ${row.attempts.length} ${attemptLine(row, index)}`),
    h("div", {}, timeElement(attempt?.start ?? row.start, true), " – ", timeElement(attempt?.end ?? row.end, true)),
    ...(attempt === undefined && row.hooks.length > 0 ? [h("div", {}, count(row.hooks.length, "hook"))] : []),
    ...firstLine(attempt === undefined ? row.cause : attempt.cause)
  ]
}
