/** Keeps quiet alerts from alerters that have no use for them. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { Alert } from "../../Alert.ts"
import type { AlerterError } from "../model/alerterError.ts"

const Forgetful: unique symbol = Symbol.for("effect-epilogue/Alerter/Forgetful")

/** The shape of the service `Alerter`. */
export interface Posting {
  readonly post: (alert: Alert | string) => Effect.Effect<void, AlerterError>
}

/** Returns whether an alerter may keep what failed, and may want to know when it is well again. */
export const takesQuiet = (alerter: Posting): boolean => !hasProperty(alerter, Forgetful)

/** Marks an alerter as one that keeps no failures, and drops its quiet alerts. */
export const forgetful = (alerter: Posting): Posting => {
  const post: Posting["post"] = (alert) => typeof alert !== "string" && alert.quiet ? Effect.void : alerter.post(alert)
  return Object.assign({ [Forgetful]: true }, alerter, { post })
}
