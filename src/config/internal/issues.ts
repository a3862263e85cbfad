/** Collects the issues of a file while it is loaded. */
import type { ConfigIssue } from "../ConfigFileError.ts"
import type { Decoded } from "./file/decode.ts"
import type { Report } from "./loading.ts"

/** Stands for the file of what the command line sets. */
export const commandLine = "the command line"

const keyOf = ({ expected, file, found, path }: ConfigIssue): string => JSON.stringify([file, path, expected, found])

/**
 * Returns a function that says whether an issue may be the consequence of a known one, whose part of the file was left
 * out: parameters lack the invalid field, or the pipeline is missing. Looks at the known issues once, since there may be
 * as many of them as values in the file.
 */
const consequencesOf = (known: ReadonlyArray<ConfigIssue>): (issue: ConfigIssue) => boolean => {
  const isPipelineKnown = known.some(({ path }) => path[0] === "pipeline")
  const areParamsKnown = known.some(({ path }) => path.includes("params"))
  return ({ path }) =>
    path.length === 0 || path[0] === "pipeline" ? isPipelineKnown : areParamsKnown && path.includes("params")
}

/** Collects the issues of a file, without the consequences of known ones. */
export const collector = (
  { asWritten = (_, found) => found, file, positionOf }: Pick<Decoded, "asWritten" | "file" | "positionOf">,
  known: ReadonlyArray<ConfigIssue>
): { readonly issues: ReadonlyArray<ConfigIssue>; readonly report: Report } => {
  const issues: Array<ConfigIssue> = [...known]
  const reported = new Set(known.map(keyOf))
  const isConsequence = consequencesOf(known)
  const report: Report = (path, problem, by = "file") => {
    const issue: ConfigIssue = by === "file"
      ? { path, file, position: positionOf(path), ...problem, found: asWritten(path, problem.found) }
      : { path, file: commandLine, position: undefined, ...problem }
    // The parameters of the run are decoded again for each step with its own, which finds the same issues.
    const key = keyOf(issue)
    if (reported.has(key) || isConsequence(issue)) return
    reported.add(key)
    issues.push(issue)
  }
  return { issues, report }
}
