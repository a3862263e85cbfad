/** Schemas of what a config file sets for the body of a step: retry, time limit and when it is overdue. */
import * as Schema from "effect/Schema"
import { duration, flag, type FromFile, number, oneOf, whole } from "../../../alerters/internal/channel/schema/leaf.ts"
import { map, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { needless, needs } from "./needless.ts"
import { no, overdue } from "./overdue.ts"
import type { Defaults, Retry, Timeout } from "./types.ts"

const Times = whole(1)

const RetryMap: FromFile<Retry> = map(
  "a map with the key times",
  Schema.Struct({
    times: Times.annotateKey({ description: "The largest number of attempts after the first." }),
    delay: optional(duration({ zero: true }), "The delay before the second attempt. None by default."),
    backoff: optional(oneOf(["constant", "linear", "exponential"]), "How the delay grows. Constant by default."),
    factor: optional(number(1), "The factor by which an exponential delay grows. 2 by default."),
    maxDelay: optional(duration(), "The longest delay."),
    jitter: optional(flag, "Whether delays vary at random.")
  }).check(
    needs("backoff", "delay"),
    needs("jitter", "delay"),
    needless<Retry>(
      "factor",
      ({ backoff }) => backoff !== "exponential",
      "backoff: exponential beside it, without which it has no effect",
      { required: ["backoff"], properties: { backoff: { not: { enum: ["constant", "linear"] } } } }
    ),
    needless<Retry>(
      "maxDelay",
      ({ backoff }) => backoff === undefined || backoff === "constant",
      "backoff: linear or exponential beside it, without which it has no effect",
      { required: ["backoff"], properties: { backoff: { not: { const: "constant" } } } }
    )
  ).annotate({ identifier: "Retry" })
)

const retryForms = "a number of further attempts, or a map with the key times"

export const HookRetry = Schema.Union([Times, RetryMap]).annotate({ expected: retryForms })

const timeoutForms = "a duration such as \"2 minutes\", a number of seconds more than 0, a map with the key limit"

const TimeoutMap: FromFile<Timeout> = map(
  "a map with the key limit",
  Schema.Struct({
    limit: duration().annotateKey({ description: "The time limit, also as a number of seconds." }),
    grace: optional(
      duration({ zero: true }),
      "How long what was interrupted at the limit may take to stop. Then it is left behind. 5 seconds by default."
    )
  }).annotate({ identifier: "Timeout" })
)

export const BodyTimeout = Schema.Union([duration(), TimeoutMap, no]).annotate({
  expected: `${timeoutForms}, or false`
})

export const bodyKeys = {
  retry: optional(
    Schema.Union([Times, no, RetryMap]).annotate({ expected: `${retryForms}, or false` }),
    "Runs the body again after a failure. A number is the largest number of attempts after the first. false removes the "
      + "retry of the code."
  ),
  timeout: optional(
    BodyTimeout,
    "The time limit of the body, also as a number of seconds. false removes the time limit of the code."
  ),
  overdue: overdue("the body")
}

export const DefaultsMap: FromFile<Defaults> = map(
  "a map with the keys retry, timeout and overdue",
  Schema.Struct(bodyKeys)
)
