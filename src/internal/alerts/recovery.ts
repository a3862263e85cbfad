/** Posts the success by which alerters that keep failures learn that one is over, where no hook posts successes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Alerting, type Chosen, HookImpl, modify } from "../model/hook.ts"
import { under } from "../model/hooks.ts"
import { evaluatedIn } from "../model/occurrence.ts"
import { post, settle } from "./hookPosts.ts"
import { type Posting, takesQuiet } from "./settling.ts"

/** Posts a success that nobody reads, by which `recovered` and channels with incidents learn that a failure is over. */
const recoveryOf = <Alerter>(key: Context.Key<Alerter, Posting>): HookImpl =>
  new HookImpl({
    kind: "success",
    name: "AlerterHooks.recovery",
    alerting: {
      wanted: (context) => {
        const alerter = Context.getOrUndefined(context, key)
        return alerter !== undefined && takesQuiet(alerter)
      }
    },
    run: (_exit, context) =>
      // the end of what was overdue is told anyway, aloud
      evaluatedIn(context)?.lateness === undefined
        ? Effect.flatMap(
          key,
          (alerter) => post(alerter, "success", undefined, (alert) => alert.with({ quiet: true }), settle)
        )
        : Effect.void
  })

/** Makes a hook one that tells of successes. */
export const tellsEnd: Alerting = { tellsEnd: true }

/** Makes a hook one that tells an alerter, whose key is given, of failures, whose end others have to tell. */
export const tellsFailureTo = <Alerter>(key: Context.Key<Alerter, Posting>): Alerting => {
  const recovery = recoveryOf(key)
  return {
    recoveries: (hooks) => {
      const found: Array<Chosen> = []
      for (const [hook, level] of [...hooks.failure, ...hooks.interrupt, ...hooks.overdue]) {
        const { background, services, timeout } = hook
        // each layer of hooks may bring an alerter of its own
        if (hook.alerting?.recoveries === undefined || found.some(([other]) => other.services === services)) continue
        found.push([modify(recovery, { background, services, timeout }), level])
      }
      // a hook of any exit decides too late
      const telling = [...hooks.success, ...hooks.exit.filter(([{ conditional }]) => !conditional)]
      return found.flatMap((recovery) => {
        const upper = telling.filter(([{ alerting, services }]) =>
          alerting?.tellsEnd && services === recovery[0].services
        )
        return under<Chosen>(upper, [recovery], ([hook]) => hook, ([, level], hook) => [hook, level]).slice(
          upper.length
        )
      })
    }
  }
}
