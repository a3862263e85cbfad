/** Evaluates an Effect with an alerter that keeps alerts. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import type { Alert, Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

/** Returns the alerts that an Effect has posted, however it ends. */
export const alertsOf = <A, E>(effect: Effect.Effect<A, E, Alerter>) =>
  Effect.andThen(Effect.exit(effect), TestAlerter.sent).pipe(Effect.provide(TestAlerter.layer))

/** Returns an alert's fields as a record. Fails where two fields have the same name. */
export const fieldsOf = (alert: Alert): Record<string, string> => {
  const record = Object.fromEntries(alert.fields.map(({ name, value }) => [name, value]))
  assert.equal(Object.keys(record).length, alert.fields.length)
  return record
}
