/** Describes an approver under test, and holds the question and options of its tests. */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ApproverOptions } from "../../src/approvers/index.ts"
import type { Approver, Decision, Question } from "../../src/index.ts"
import type { Reply } from "./channelServer.ts"
import type { FakeChannel } from "./fakeApi.ts"

export interface ApproverContract<F extends FakeChannel> {
  /** The channel's name in errors, as in `"slack"`. */
  readonly channel: string
  readonly fake: Effect.Effect<F, never, Scope.Scope>
  /** Makes the layer for an API at `url`. Every secret given to it contains `canary`. */
  readonly layer: (url: string, options: ApproverOptions) => Layer.Layer<Approver>
  /** The ids of two members. The first one's name is Ada Lovelace. */
  readonly people: readonly [string, string]
  /** The server's answer to wrong credentials. */
  readonly unauthorized: Reply
  /** Asserts that a message, as sent, keeps the channel's limits and mentions nobody. */
  readonly checks: (payload: string) => void
}

/** Options with delays of milliseconds, so that tests need not wait. */
export const fast: ApproverOptions = { timeout: "1 second", delay: "1 millis", interval: "5 millis" }

export const deploy: Question = { title: "Deploy to production?", timeout: "3 seconds" }

/** Formats a decision as `Approved by Ada Lovelace (U1)`. */
export const answered = (decision: Decision): string =>
  decision._tag === "TimedOut" ? "TimedOut" : `${decision._tag} by ${decision.by.name} (${decision.by.id})`
