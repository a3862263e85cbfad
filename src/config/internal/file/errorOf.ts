/** The error of a config file, from the issues that were found. */
import { ConfigFileError, type ConfigIssue } from "../../ConfigFileError.ts"

/** Makes the error of issues. Without any, the file is invalid for a reason that nothing has named. */
export const errorOf = (file: string, [first, ...others]: ReadonlyArray<ConfigIssue>): ConfigFileError =>
  new ConfigFileError({ file, issues: [first ?? { ...invalid, file }, ...others] })

/** The issue with a file as a whole. */
export const invalid: Omit<ConfigIssue, "file"> = {
  path: [],
  position: undefined,
  expected: "a valid document",
  found: "an invalid one"
}
