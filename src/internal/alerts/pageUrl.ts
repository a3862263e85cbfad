/** Finds the address of a page about a run: that of the runs' own page, or of the job of a CI service that this process runs in. */
import type { Alert } from "../../Alert.ts"
import { withoutTrailingSlashes } from "../text/baseUrl.ts"
import { labelsOf } from "../text/stepLabel.ts"
import { stepFragment } from "../text/stepLink.ts"
import { variable } from "../text/terminal.ts"

type Read = (name: string) => string | undefined

/** https://docs.github.com/en/actions/reference/workflows-and-actions/variables */
const ofGitHub = (read: Read): string | undefined => {
  const [server, repository, run, attempt] = [
    read("GITHUB_SERVER_URL"),
    read("GITHUB_REPOSITORY"),
    read("GITHUB_RUN_ID"),
    read("GITHUB_RUN_ATTEMPT")
  ]
  if (server === undefined || repository === undefined || run === undefined) return undefined
  return `${server}/${repository}/actions/runs/${run}${attempt === undefined ? "" : `/attempts/${attempt}`}`
}

/** The other services, each with a variable that it sets, and the one that has the address. */
const services: ReadonlyArray<readonly [sets: string, address: string]> = [
  // https://docs.gitlab.com/ci/variables/predefined_variables/
  ["GITLAB_CI", "CI_JOB_URL"],
  // https://buildkite.com/docs/pipelines/configure/environment-variables
  ["BUILDKITE", "BUILDKITE_BUILD_URL"],
  // https://circleci.com/docs/reference/variables/
  ["CIRCLECI", "CIRCLE_BUILD_URL"],
  // https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
  ["JENKINS_URL", "BUILD_URL"]
]

/**
 * Returns the address of a page about the run of an alert, and of the step in it: on the page at `EPILOGUE_URL`, where
 * `epilogue ui` is served, or else the job's.
 */
export const pageUrl = ({ source }: Pick<Alert, "source">, read: Read = variable): string | undefined => {
  const base = source === undefined ? undefined : baseOf(read("EPILOGUE_URL"))
  return source === undefined || base === undefined
    ? ciUrl(read)
    : `${base}/runs/${encodeURIComponent(source.runId.toWellFormed())}${stepFragment(labelsOf(source))}`
}

/**
 * Returns where the page of runs is served, without the token, if it is the link that `epilogue ui` has printed: the token
 * would be in each alert.
 */
const baseOf = (text: string | undefined): string | undefined => {
  const { host, pathname, protocol } = URL.parse(text ?? "") ?? {}
  return host !== undefined && pathname !== undefined && (protocol === "http:" || protocol === "https:")
    ? `${protocol}//${host}${withoutTrailingSlashes(pathname)}`
    : undefined
}

/** Returns the address of the job, or `undefined` outside of the services that are known. */
const ciUrl = (read: Read): string | undefined => {
  if (read("GITHUB_ACTIONS") === "true") return ofGitHub(read)
  const service = services.find(([sets]) => read(sets) !== undefined)
  return service === undefined ? undefined : read(service[1])
}
