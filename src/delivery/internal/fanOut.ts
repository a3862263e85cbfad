import * as Effect from "effect/Effect"
import type { AlerterError } from "../../Alerter.ts"
import type { Post } from "./policy.ts"
import { allOf, errorOf } from "./several.ts"

/** @internal */
export const toAll = (posts: ReadonlyArray<Post>, succeeds: "all" | "any"): Post => {
  if (posts.length === 0) throw new Error("fanOut: no alerters are given")
  return (alert) =>
    Effect.gen(function*() {
      const outcomes = yield* Effect.forEach(
        posts,
        (post) =>
          Effect.matchCause(Effect.suspend(() => post(alert)), { onSuccess: () => undefined, onFailure: errorOf }),
        { concurrency: "unbounded" }
      )
      const errors = outcomes.filter((error) => error !== undefined)
      if (errors.length === 0) return
      if (succeeds === "any" && errors.length < posts.length) {
        return yield* Effect.logWarning(
          "effect-epilogue: an alert did not reach all of its channels",
          ...errors.map(({ message }) => message)
        )
      }
      return yield* Effect.fail(oneOf(errors))
    })
}

const oneOf = (errors: ReadonlyArray<AlerterError>): AlerterError => {
  const [first, second] = errors
  return first !== undefined && second === undefined ? first : allOf("fanOut", errors)
}
