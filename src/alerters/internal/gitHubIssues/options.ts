/** Describes the channel of GitHub's issues in the config file. */
import * as GitHubIssues from "../../GitHubIssues.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { oneOrMore, optional, required } from "../channel/schema/structure.ts"

const label = Leaf.text("a label of at most 50 characters", (text) => text.length <= 50 && !/[,\n]/.test(text))

/** @internal */
export const gitHubIssues = fileChannel<GitHubIssues.GitHubIssuesOptions>({
  description: "Issues of a repository on GitHub",
  variables: { token: "GITHUB_TOKEN", repository: "GITHUB_REPOSITORY" },
  optionalVariables: { baseUrl: "GITHUB_API_URL" },
  keys: {
    token: required(Leaf.token("a token"), "A token that may write issues."),
    repository: required(
      Leaf.text("a repository, as in owner/name", (text) => /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(text)),
      "The repository, as in `owner/name`."
    ),
    label: optional(label, "The label by which issues are found again. `epilogue` unless set."),
    labels: optional(oneOrMore(label, 0), "More labels of new issues."),
    assignees: optional(
      oneOrMore(Leaf.text("a login", (text) => /^[\w-]{1,100}(\[bot\])?$/.test(text)), 0),
      "Who new issues are assigned to, by their logins."
    ),
    notes: optional(
      Leaf.flag,
      "Whether alerts that are about no problem open issues, too. If not, they are dropped. False unless set."
    ),
    baseUrl: optional(
      Leaf.baseUrl,
      "The address of the API. `https://api.github.com` unless set; of GitHub Enterprise Server, `https://HOST/api/v3`."
    ),
    ...sending
  },
  layer: GitHubIssues.layer,
  urls: [{
    schemes: ["githubissues"],
    form: "githubissues://TOKEN@OWNER/REPOSITORY",
    parameters: ["host"],
    read: ({ host: owner, password, path: [name, ...more], query: { host }, user }) =>
      name === undefined || more.length > 0 || user === undefined || password !== undefined ? undefined : {
        token: user,
        repository: `${owner}/${name}`,
        ...(host === undefined ? {} : { baseUrl: `https://${host}/api/v3` })
      }
  }]
})
