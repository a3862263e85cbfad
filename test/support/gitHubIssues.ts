/** Opens the channel of issues on a fake GitHub. */
import { Context, DateTime, Effect, Layer, Redacted } from "effect"
import { GitHubIssues } from "../../src/alerters/index.ts"
import { Alerter } from "../../src/index.ts"
import { sample } from "./channelContract.ts"
import { fakeGitHub } from "./fakeGitHub.ts"

export const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
export const alert = sample.with({ at })

/** Returns the fake, and the channel's layer and post. */
export const started = (options: Partial<GitHubIssues.GitHubIssuesOptions> = {}) =>
  Effect.gen(function*() {
    const github = yield* fakeGitHub
    const layer = GitHubIssues.layer({
      token: Redacted.make("ghp_1"),
      repository: "acme/etl",
      baseUrl: `${github.url}/`,
      timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
      pace: [],
      delay: 0,
      ...options
    })
    const post = Context.get(yield* Layer.build(layer), Alerter).post
    return { ...github, layer, post }
  })

/** Matches the end of a body, by which its issue is found again. */
export const marker = /\n\n<!-- effect-epilogue [0-9a-f]{64} -->$/
