/**
 * Keeps secrets out of all that is told of steps and runs: alerts, events, records, logs and spans.
 *
 * **Details**
 *
 * Runs of a config file and of the command `epilogue` have this anyway: there the values of variables, of `Redacted`
 * parameters and the addresses and tokens of channels are secret.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Guard from "./internal/model/guard.ts"
import { evaluatedIn } from "./internal/model/occurrence.ts"
import { CurrentGuard, guarded } from "./internal/model/secrets.ts"
import { StepContext } from "./StepContext.ts"

/**
 * A secret: a text, or a `Redacted` of any value, whose texts and numbers are secret.
 *
 * @category models
 * @since 0.1.0
 */
export type Secret = string | Redacted.Redacted<unknown>

/**
 * Replaces secrets by `<redacted>` in all that steps and runs inside tell: alerts before they are posted or stored,
 * events before observers, records and metrics get them, and what loggers and tracers get.
 *
 * **Details**
 *
 * - A secret is found as it is, in JSON, percent-encoded, with HTML entities, in base64 (also twice), as numbers of
 *   bytes, quoted-printable, coloured for a terminal, wrapped over lines and cut. One that looks like an identifier is
 *   also found in capitals, in small letters and in hexadecimal.
 * - The `Redacted` values of `Params` services, and the addresses and tokens of the channels of `effect-epilogue/alerters`,
 *   become secret where their layers are built inside.
 * - A layer inside of a run, as by `Pipeline.provide`, holds from then on for the whole run: its events, the hooks
 *   that come later, and the spans that are open. A tracer that sends the name of a span when it is opened, as the
 *   devtools do, sends a name that held what was not secret then.
 * - Values and errors of steps are not changed, and neither is what a program prints by itself.
 *
 * **Gotchas**
 *
 * A text of less than four characters is not looked for, since it may be a part of other words. Give the layer last, so
 * that the loggers and the tracer of other layers are inside.
 *
 * @example
 * ```ts
 * import { Pipeline, Secrets, Step } from "effect-epilogue"
 * import { Effect, Redacted } from "effect"
 *
 * const url = Redacted.make("postgres://etl:pa55w0rd@db.example.com/etl")
 *
 * const load = Step.make("load", Effect.fail(`no connection to ${Redacted.value(url)}`))
 *
 * const program = Pipeline.make("etl", load).pipe(Effect.provide(Secrets.layer(url)))
 * ```
 *
 * @see {@link add} for secrets that are known later
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (...secrets: ReadonlyArray<Secret>): Layer.Layer<never> =>
  // fresh, since a memoized layer would bring back the loggers of the place where it was built first
  Layer.fresh(Layer.effectContext(Effect.map(Effect.context<never>(), (context) => {
    const step = Context.getOrUndefined(context, StepContext)
    let run = step && evaluatedIn(step)?.run
    const guard = Context.get(context, CurrentGuard) ?? run?.guard ?? Guard.make()
    addTo(guard, secrets)
    // runs that have begun looked for a guard then
    if (run !== undefined && run.guard === undefined) guard.spansAround(context)
    for (; run !== undefined; run = run.around?.run) run.guardBy(guard)
    return guarded(context, guard)
  })))

/**
 * Adds secrets to those of the {@link layer} around, as soon as they are known. Does nothing without a layer.
 *
 * @example
 * ```ts
 * import { Secrets } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const login = Effect.tap(Effect.succeed("t0ken-0123"), (token) => Secrets.add(token))
 * ```
 *
 * @see {@link layer} for what is done with secrets
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (...secrets: ReadonlyArray<Secret>): Effect.Effect<void> =>
  Effect.map(CurrentGuard, (guard) => {
    if (guard !== undefined) addTo(guard, secrets)
  })

const addTo = (guard: Guard.Guard, secrets: ReadonlyArray<Secret>): void => {
  guard.add(secrets.filter((secret) => typeof secret === "string"))
  guard.addRedacted(secrets)
}
