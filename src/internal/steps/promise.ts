/** Makes steps of functions that return promises. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { awaitWithinGrace } from "../engine/timeout.ts"
import { limitMillis, limitMistakes } from "../model/limit.ts"
import { unknownMistakes } from "../model/options.ts"
import type { Body, StepOwner } from "../model/owner.ts"
import type { Step } from "../model/step.ts"
import { combinator } from "./combinator.ts"
import type { PromiseFn, PromiseOptions } from "./promiseFn.ts"
import { fn, makeStep, withMistakes } from "./step.ts"

interface Options {
  readonly try: (signal: AbortSignal, ...args: Array<any>) => unknown
  readonly catch?: ((error: unknown) => unknown) | undefined
  readonly grace?: Duration.Input | undefined
}

/**
 * Evaluates a function that returns a promise. An interruption aborts the signal, and waits until the promise has settled
 * or the grace is over: otherwise the hooks of the step would run, and a retry begin, beside what still goes on.
 *
 * Not `Effect.tryPromise`, which does not wait, and wraps rejections.
 */
const promiseBody = ({ catch: toError, grace, try: call }: Options, args: Array<any>): Body =>
  Effect.callback<unknown, unknown>((resume, signal) => {
    // a promise of its own, since a thenable may throw in `then`, or call back twice
    const promise = new Promise((resolve) => resolve(call(signal, ...args)))
    promise.then(
      (value) => resume(Effect.succeed(value)),
      // suspended, so that a mapping that throws is a defect of the step
      (error: unknown) => resume(Effect.suspend(() => Effect.fail(toError === undefined ? error : toError(error))))
    )
    const settled = Effect.callback<void>((resume) => {
      const done = () => resume(Effect.void)
      promise.then(done, done)
    })
    return awaitWithinGrace(settled, grace === undefined ? undefined : limitMillis(grace))
  })

const withOptions = combinator(2, (self: StepOwner, options: Options) =>
  withMistakes(self, [
    ...(options.grace === undefined ? [] : limitMistakes("its body's grace", options.grace)),
    ...unknownMistakes("its promise", options, { try: 0, catch: 0, grace: 0 })
  ]))

/**
 * Makes a step from a name and a function that returns a promise. Its error is the rejection itself.
 *
 * **Details**
 *
 * - The function is called for each attempt. It gets an `AbortSignal`, which is aborted when the step is interrupted or
 *   its time limit is reached.
 * - Then the step waits until the promise has settled, for as long as the `grace` of its `Step.timeout`, or 5 seconds.
 *   What takes longer is left behind, and a warning is logged. What the promise settles with does not count any more.
 * - The error is `unknown`, unless `catch` maps it. An error that the function throws is as a rejection with it; a `catch`
 *   that throws is a defect.
 *
 * **Gotchas**
 *
 * A function that leaves the signal unused goes on when the step is interrupted, and holds up the interruption for the
 * whole grace: `grace: 0` does not wait.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 *
 * // Step<string, unknown>
 * const prices = Step.promise("prices", async (signal) => {
 *   const response = await fetch("https://example.com/prices.csv", { signal })
 *   return response.text()
 * })
 *
 * class Unavailable extends Error {}
 *
 * // Step<Response, Unavailable>
 * const health = Step.promise("health", {
 *   try: (signal) => fetch("https://example.com/health", { signal }),
 *   catch: (cause) => new Unavailable("the shop does not answer", { cause })
 * })
 * ```
 *
 * @see {@link fnPromise} for functions with arguments
 * @see `Step.make` for Effects
 *
 * @category constructors
 * @since 0.1.0
 */
export const promise = <A, E>(
  name: string,
  evaluate: ((signal: AbortSignal) => PromiseLike<A>) | PromiseOptions<[], A, E>
): Step<A, E> => {
  const options: Options = typeof evaluate === "function" ? { try: evaluate } : evaluate
  return withOptions(makeStep(name, promiseBody(options, [])), options)
}

/**
 * Makes a function whose calls return steps of that name, from one whose calls return promises. Combinators receive the
 * step, followed by the arguments of the call, as those of `Step.fn`.
 *
 * **Details**
 *
 * The function is called with the arguments alone, so that one that is there already can be given as it is. A function
 * that can be stopped is given as `try`, and gets the `AbortSignal` first: at the end, it would take the place of an
 * optional argument that the call leaves out. All else is as for {@link promise}.
 *
 * **Gotchas**
 *
 * A function without the signal goes on when its step is interrupted: see {@link promise}.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const countRows = async (table: string): Promise<number> => table.length
 *
 * // (table: string) => Step<number, unknown>
 * const count = Step.fnPromise("count")(
 *   countRows,
 *   (step, table) => Step.key(step, table),
 *   Step.onSuccess((rows) => Effect.log(`${rows} rows`))
 * )
 *
 * // (page: number) => Step<Response, unknown>
 * const fetchPage = Step.fnPromise("fetch-page")({
 *   try: (signal, page: number) => fetch(`https://example.com/pages/${page}`, { signal })
 * })
 * ```
 *
 * @see {@link promise} for steps without arguments
 * @see `Step.fn` for functions that return Effects
 *
 * @category constructors
 * @since 0.1.0
 */
export const fnPromise = (name: string): PromiseFn => {
  const make = fn(makeStep)(name)
  return (body: ((...args: Array<any>) => unknown) | Options, ...combinators: ReadonlyArray<any>): any => {
    const options: Options = typeof body === "function" ? { try: (_, ...args) => body(...args) } : body
    return make((...args) => promiseBody(options, args), withOptions(options), ...combinators)
  }
}
