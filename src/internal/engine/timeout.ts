/** The time limit of a body. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { exceeded } from "../model/hooks.ts"
import type { Wrap } from "../model/overrides.ts"

/** In milliseconds. */
export const timeoutBody = (
  body: Effect.Effect<unknown, unknown, any>,
  step: string,
  limit: number
): Effect.Effect<unknown, unknown, any> =>
  Effect.flatMap(Effect.timeoutOption(body, limit), (value) =>
    Option.isSome(value)
      ? Effect.succeed(value.value)
      : Effect.fail(bodyExceeded(step, limit)))

/** @internal */
export const bodyExceeded = (step: string, limit: number): Cause.TimeoutError => exceeded(`step "${step}"`, limit)

/** @internal */
export const timeoutWrap = (step: string, limit: number): Wrap => ({
  kind: "timeout",
  limit,
  wrap: (body) => timeoutBody(body, step, limit)
})
