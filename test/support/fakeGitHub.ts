/** A server with the part of GitHub's REST API that is about issues, in which tests look at what is open. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { channelServer, type Received, type Reply } from "./channelServer.ts"

export interface Issue {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly labels: ReadonlyArray<string>
  readonly assignees: ReadonlyArray<string>
  readonly comments: Array<string>
  state: "open" | "closed"
  stateReason: string | undefined
}

export interface FakeGitHub {
  readonly url: string
  readonly requests: Array<Received>
  readonly issues: Array<Issue>
  readonly open: () => ReadonlyArray<Issue>
  /** Opens an issue as somebody else. */
  readonly add: (issue: Partial<Issue> & { readonly pull_request?: object }) => Issue
  /** Replaces the answer to a request by what this returns, if anything. What it asks for is not done. */
  readonly on: (step: (request: Received) => Reply | undefined) => void
}

const path = /^\/repos\/acme\/etl\/issues(?:\/(\d+)(\/comments)?)?(?:\?(.*))?$/

export const fakeGitHub: Effect.Effect<FakeGitHub, never, Scope.Scope> = Effect.gen(function*() {
  const issues: Array<Issue> = []
  let instead: (request: Received) => Reply | undefined = () => undefined
  const add: FakeGitHub["add"] = (changes) => {
    const issue: Issue = {
      number: issues.length + 1,
      title: "",
      body: "",
      labels: [],
      assignees: [],
      comments: [],
      state: "open",
      stateReason: undefined,
      ...changes
    }
    issues.push(issue)
    return issue
  }
  const server = yield* channelServer((request) => {
    const replaced = instead(request)
    if (replaced !== undefined) return typeof replaced === "function" ? replaced(request) : replaced
    const [, number, isComment, search] = path.exec(request.path) ?? []
    const issue = issues.find((issue) => issue.number === Number(number))
    const { method } = request
    if (method === "GET" && search !== undefined) {
      const query = new URLSearchParams(search)
      const [perPage, page] = [Number(query.get("per_page")), Number(query.get("page"))]
      const found = issues.filter(({ labels, state }) =>
        state === query.get("state") && labels.includes(query.get("labels") ?? "")
      )
      return { body: found.slice((page - 1) * perPage, page * perPage) }
    }
    if (method === "POST" && path.test(request.path) && number === undefined) {
      return { status: 201, body: add(request.json) }
    }
    if (method === "POST" && issue !== undefined && isComment) {
      issue.comments.push(request.json.body)
      return { status: 201, body: { id: 1 } }
    }
    if (method === "PATCH" && issue !== undefined) {
      issue.state = request.json.state
      issue.stateReason = request.json.state_reason
      return { body: issue }
    }
    return { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } }
  })
  return {
    url: server.url,
    requests: server.requests,
    issues,
    open: () => issues.filter(({ state }) => state === "open"),
    add,
    on: (step) => {
      instead = step
    }
  }
})
