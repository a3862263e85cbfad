/** The time limit of a body. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { exceeded } from "./hooks.ts"

/** In milliseconds. */
export const timeoutBody = (
  body: Effect.Effect<unknown, unknown, any>,
  step: string,
  limit: number
): Effect.Effect<unknown, unknown, any> =>
  Effect.flatMap(Effect.timeoutOption(body, limit), (value) =>
    Option.isSome(value)
      ? Effect.succeed(value.value)
      : Effect.fail(exceeded(`step "${step}"`, limit)))
