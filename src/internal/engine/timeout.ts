/** Time limits of bodies. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { exceeded } from "../model/limit.ts"
import type { Body, Wrap } from "../model/owner.ts"

/** Interrupts a body after a limit in milliseconds, and fails. */
export const timeoutBody = (body: Body, step: string, limit: number): Body =>
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
