/**
 * Makes JUnit XML, which CI servers show as test results: a suite for each run, with a case for each step.
 *
 * There is no standard. Elements and attributes are those that Jenkins, GitLab and GitHub's actions read:
 * https://github.com/testmoapp/junitxml, https://docs.gitlab.com/ci/testing/unit_test_reports/.
 */
import type { Ending, Row, Timeline } from "../timeline/data.ts"
import { escape } from "../timeline/text.ts"
import { endings, tookMillis } from "../timeline/words.ts"
import { headline, pathOf } from "./paths.ts"

const attributes = (values: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(values).map(([name, value]) => value === undefined ? "" : ` ${name}="${escape(String(value))}"`).join(
    ""
  )

const seconds = (row: Row): string => (tookMillis(row) / 1000).toFixed(3)

/** Formats a time as the schema of Jenkins has it, in UTC, without a zone. */
const timestamp = (millis: number): string => new Date(millis).toISOString().slice(0, 19)

/** The element that says why a case did not pass. A step without an end, or interrupted, is an error, not a failure. */
const elements: Readonly<Record<Ending, "failure" | "error" | "skipped" | undefined>> = {
  success: undefined,
  failure: "failure",
  interrupt: "error",
  skip: "skipped",
  cut: "error"
}

/** Returns what precedes the message in the first line of a cause, as in `RangeError: no such row`. */
const typeOf = (message: string): string | undefined => /^([A-Za-z_$][\w$.]*): /.exec(message)?.[1]

const outcome = ({ cause, ending }: Row): string => {
  const element = elements[ending]
  if (element === undefined) return ""
  if (element === "skipped") return `      <skipped${attributes({ message: headline(cause) })}/>\n`
  // the cause of an interruption says no more than that it was one
  const message = (ending === "interrupt" ? undefined : headline(cause)) ?? endings[ending]
  return `      <${element}${attributes({ message, type: typeOf(message) ?? endings[ending] })}>${
    escape(cause ?? "")
  }</${element}>\n`
}

const hooksAndAlerts = ({ alerts = [], hooks }: Row): string => {
  const lines = [
    ...hooks.filter(({ outcome }) => outcome === "failed").map(({ cause, kind, name }) =>
      `hook "${name}" (${kind}) failed: ${cause ?? ""}`
    ),
    ...alerts.filter(({ result }) => result === "failed").map(({ cause, text, title }) =>
      `alert "${title}" ${text}${cause === undefined ? "" : `: ${cause}`}`
    )
  ]
  if (lines.length === 0) return ""
  return `      <system-err>${escape(lines.join("\n"))}</system-err>\n`
}

/** A run, with the rows of its steps. */
interface Suite {
  readonly run: Row
  readonly steps: ReadonlyArray<Row>
}

const suitesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Suite> =>
  rows.flatMap((run, i) => run.kind === "run" ? [{ run, steps: rows.slice(i + 1, i + 1 + run.size) }] : [])

/**
 * Whether a step that ended so is why its run has, too: a skip explains no failure, and no failure a skip. Why the process
 * of a run ended is said by the run alone.
 */
const explains = (step: Ending, run: Ending): boolean =>
  run !== "cut" && elements[step] !== undefined && (step === "skip") === (run === "skip")

/** Returns the rows that are cases: the steps, and the run itself where it ended otherwise than all of them. */
const casesOf = ({ run, steps }: Suite): ReadonlyArray<Row> =>
  (elements[run.ending] === undefined || steps.some(({ ending }) => explains(ending, run.ending))) &&
    !run.hooks.some(({ outcome }) => outcome === "failed")
    ? steps
    : [run, ...steps]

const counts = (cases: ReadonlyArray<Row>) => ({
  tests: cases.length,
  failures: cases.filter(({ ending }) => elements[ending] === "failure").length,
  errors: cases.filter(({ ending }) => elements[ending] === "error").length,
  skipped: cases.filter(({ ending }) => ending === "skip").length
})

const suite = (rows: ReadonlyArray<Row>, suite: Suite): string => {
  const { run } = suite
  const cases = casesOf(suite)
  const fact = (name: string) => run.facts.find((fact) => fact.name === name)?.value
  const lines = cases.map((row) => {
    const name = row.kind === "run" ? run.name : pathOf(rows, row).join(" › ")
    const inner = outcome(row) + hooksAndAlerts(row)
    const start = `    <testcase${attributes({ name, classname: fact("Pipeline"), time: seconds(row) })}`
    return inner === "" ? `${start}/>\n` : `${start}>\n${inner}    </testcase>\n`
  })
  const head = attributes({ name: run.name, ...counts(cases), time: seconds(run), timestamp: timestamp(run.start) })
  const id = `    <properties>\n      <property${
    attributes({ name: "run", value: fact("Run") })
  }/>\n    </properties>\n`
  return `  <testsuite${head}>\n${id}${lines.join("")}  </testsuite>\n`
}

/** @internal */
export const junit = ({ rows, title }: Timeline): string => {
  const suites = suitesOf(rows)
  const cases = suites.flatMap(casesOf)
  const time = suites.reduce((sum, { run }) => sum + tookMillis(run), 0) / 1000
  const head = attributes({ name: title, ...counts(cases), time: time.toFixed(3) })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${
    suites.map((one) => suite(rows, one)).join("")
  }</testsuites>\n`
}
