/**
 * Keeps an issue on GitHub for a step that fails: opened by the first failure, commented by the next, closed by a success.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { paceMistakes } from "../internal/alerts/mailbox/pace.ts"
import { optionalText, refuse, text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders } from "./internal/channel/headers.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { repeatKey } from "./internal/channel/repeat.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as Api from "./internal/gitHubIssues/api.ts"
import { bodyOf, titleOf } from "./internal/gitHubIssues/text.ts"

/**
 * The options of {@link layer}. `pace` counts the requests that create content, and not alerts.
 *
 * @category models
 * @since 0.1.0
 */
export interface GitHubIssuesOptions extends ChannelOptions {
  /**
   * A token that may write issues of the repository and give them labels: a fine-grained one with "Issues: read and
   * write", a classic one of somebody who may push, or that of a workflow with `permissions: { issues: write }`.
   */
  readonly token: Redacted.Redacted<string>
  /** The repository, as in `owner/name`. */
  readonly repository: string
  /** The label by which issues are found again. `epilogue` unless set. */
  readonly label?: string | undefined
  /** More labels of new issues. */
  readonly labels?: ReadonlyArray<string> | undefined
  /** The logins of those who new issues are assigned to. */
  readonly assignees?: ReadonlyArray<string> | undefined
  /** Whether alerts that report no problem open issues, too, which somebody has to close. False unless set. */
  readonly notes?: boolean | undefined
  /** The URL of the API. `https://api.github.com` unless set; of GitHub Enterprise Server, `https://HOST/api/v3`. */
  readonly baseUrl?: string | undefined
}

/**
 * Posts alerts by the REST API (https://docs.github.com/rest/issues/issues).
 *
 * **Details**
 *
 * - `warning`, `error` and `critical` open an issue. As long as one with the same `dedupeKey` is open, they are comments on
 *   it. Beware of jobs that fail every few minutes: wrap the channel in `dedupe`.
 * - An alert with a `dedupeKey` that `resolves` is a comment on all open issues of the key, and closes them. If there is
 *   none, nothing is posted. One look tells that of all keys for half a minute.
 * - Other alerts with a `dedupeKey`, such as that somebody has acknowledged a failure, are comments on the open issue.
 *   `success` that does not resolve is dropped, and so are alerts that report no problem where no issue is open, unless
 *   `notes` is true.
 *
 * An issue is found by its label and by the end of its body, a comment of HTML with the digest of the key. After it has
 * opened one, the channel looks for others: of two that two processes opened at once, or that a repeated request did, the
 * later one is closed, and its alert is a comment on the earlier one.
 *
 * Texts are Markdown in which everything that others wrote is shown as it is: it mentions nobody, refers to no issue, and
 * has no links to issues and commits, which GitHub would show there. A body has at most 65,536 characters: longer alerts
 * are shortened, the detail first.
 *
 * Unless `pace` is set, one request a second creates content, 80 a minute and 500 an hour, as GitHub documents
 * (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits). After an
 * answer that refuses the rate, the mailbox waits as long as `Retry-After` or `x-ratelimit-reset` says, or a minute.
 *
 * **Gotchas**
 *
 * - GitHub leaves labels out, and says nothing, where the token may not give them. Issues are then not found again.
 * - A repeated comment appears twice: the API has no argument for a key.
 *
 * @example
 * ```ts
 * import { GitHubIssues } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = GitHubIssues.layer({
 *   token: Redacted.make("github_pat_11ABCDEFG"),
 *   repository: "acme/etl",
 *   labels: ["bug"],
 *   assignees: ["ada"]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: GitHubIssuesOptions): Layer.Layer<Alerter> =>
  // what is paced are requests
  channel.layer("gitHubIssues", { ...options, pace: [] }, own, () => {
    refuse("gitHubIssues", paceMistakes("pace", options.pace))
    const token = Redacted.value(options.token)
    const { assignees = [], label, labels = [], notes = false, repository } = options
    const headers = {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      // GitHub refuses requests without it
      "user-agent": "effect-epilogue",
      "x-github-api-version": "2022-11-28"
    }
    const url = `${withoutTrailingSlashes(options.baseUrl || "https://api.github.com")}/repos/${repository}`
    return {
      secrets: [token],
      start: ({ error, http, time, words }) =>
        Effect.sync(() => {
          const issues = Api.make(
            http,
            { url, headers, label: label || "epilogue", labels, assignees },
            options.pace ?? Api.pace
          )
          const create = (alert: channel.Dated, marker: string | undefined) =>
            issues.create(titleOf(alert), bodyOf(alert, "issue", { time, words }), marker)
          const comment = (issue: number, alert: channel.Dated) =>
            issues.comment(issue, bodyOf(alert, "comment", { time, words }))
          /** Opens an issue, and closes it again where another process has opened one. */
          const createOnce = (alert: channel.Dated, marker: string) =>
            Effect.gen(function*() {
              const created = yield* create(alert, marker)
              if (created === undefined) return
              // the alert has arrived, whatever becomes of this
              const open = yield* Effect.orElseSucceed(issues.open(marker), (): ReadonlyArray<number> => [])
              const [first = created, ...later] = [...new Set([...open, created])].toSorted((a, b) => a - b)
              if (later.length === 0) return
              yield* Effect.ignore(Effect.andThen(
                Effect.forEach(later, (issue) => issues.close(issue, "not_planned")),
                first === created ? Effect.void : comment(first, alert)
              ))
            })
          return (alert) =>
            Effect.gen(function*() {
              const action = incidentActionOf(alert)
              if (action === undefined) return
              if (!areHeaders(headers)) {
                const detail = "its token can't be sent in a header"
                return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail })))
              }
              const isKeyed = Boolean(alert.dedupeKey)
              const key = alert.dedupeKey || repeatKey(alert)
              if (key === undefined) {
                if (action === "trigger" || notes) yield* create(alert, undefined)
                return
              }
              if (action === "change" && !isKeyed && !notes) return
              const marker = yield* Api.markerOf(key)
              // at the end of a run there is a recovery of each step that is well
              if (action === "resolve" && (yield* issues.hadNone(marker))) return
              const open = yield* issues.open(marker)
              const [first] = open
              if (action === "resolve") {
                if (first !== undefined) yield* comment(first, alert)
                yield* Effect.forEach(open, (issue) => issues.close(issue, "completed"), { discard: true })
                return
              }
              // without a dedupeKey, the open issue is that of an earlier attempt to post the same
              if (first !== undefined) return yield* isKeyed ? comment(first, alert) : Effect.void
              if (action === "trigger") yield* createOnce(alert, marker)
              else if (action === "change" && notes) yield* create(alert, undefined)
            })
        }),
      pace: [],
      keepsState: true
    }
  })

const own: channel.OwnOptions<GitHubIssuesOptions> = {
  token: secret,
  repository: text,
  label: optionalText,
  labels: 0,
  assignees: 0,
  notes: 0,
  baseUrl: optionalText
}

/**
 * Like {@link layer}, with the token from `GITHUB_TOKEN`, the repository from `GITHUB_REPOSITORY` and, if it is set,
 * the URL of the API from `GITHUB_API_URL`, of which GitHub Actions sets the last two; or the options from a config.
 *
 * @example
 * ```ts
 * import { GitHubIssues } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = GitHubIssues.layerConfig()
 * const ofTeam = GitHubIssues.layerConfig({
 *   token: Config.Redacted("TEAM_GITHUB_TOKEN"),
 *   repository: Config.String("TEAM_REPOSITORY")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<GitHubIssuesOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<GitHubIssuesOptions> = {
  token: variable.secret("GITHUB_TOKEN"),
  repository: variable.text("GITHUB_REPOSITORY"),
  baseUrl: variable.textOr("GITHUB_API_URL", undefined)
}
