/**
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Severity } from "../Alert.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"
import * as Books from "./internal/open/book.ts"
import { idOf } from "./internal/open/ids.ts"
import { booksOf } from "./internal/open/known.ts"
import { Store } from "./Store.ts"

/**
 * A failure that people have been told of, and that has not recovered.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenAlert {
  /** The subject of its alerts: the `dedupeKey`, else the step or run, else the title. */
  readonly key: string
  /** A short name of the key, for people to type. */
  readonly id: string
  /** The title of its latest alert. */
  readonly title: string
  /** The highest severity of its alerts. */
  readonly severity: Severity
  /** When it began. */
  readonly since: DateTime.Utc
  /** How many alerts have reported it. */
  readonly failures: number
  /** How often people have been told, with reminders and escalations. */
  readonly told: number
  /** The acknowledgement, if there is one. */
  readonly acknowledged: Acknowledgement | undefined
}

/**
 * The acknowledgement of a failure.
 *
 * @category models
 * @since 0.1.0
 */
export interface Acknowledgement {
  /** The name of the person. */
  readonly by: string
  /** The comment of the person, if there is one. */
  readonly comment: string | undefined
  /** When it was acknowledged. */
  readonly at: DateTime.Utc
}

const ErrorBase: new(fields: { readonly key: string; readonly open: ReadonlyArray<string> }) =>
  & Cause.YieldableError
  & {
    readonly _tag: "NotOpenError"
    readonly key: string
    readonly open: ReadonlyArray<string>
  } = selfExplained(
    Data.TaggedError("NotOpenError")<{ readonly key: string; readonly open: ReadonlyArray<string> }>
  )

/**
 * The error of an acknowledgement where nothing is open under the key. `open` has the keys of all that is.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotOpenError extends ErrorBase {
  /** Names the key, and the keys of what is open. */
  override get message(): string {
    const { key, open } = this
    const others = open.length === 0 ? "nothing is open" : `open: ${open.slice(0, maxShown).join(", ")}`
    const rest = open.length > maxShown ? `, and ${open.length - maxShown} more` : ""
    return `no open alert has the key ${JSON.stringify(key)}; ${others}${rest}`
  }
}

/** The most keys in a message. */
const maxShown = 10

const Base: Context.ServiceClass<
  Acknowledgements,
  "effect-epilogue/delivery/Acknowledgements",
  Acknowledgements.Shape
> = Context.Service<Acknowledgements, Acknowledgements.Shape>()("effect-epilogue/delivery/Acknowledgements")

/**
 * The service by which people acknowledge failures, so that `remind` and `escalate` leave them in peace until the
 * failure has recovered.
 *
 * **Details**
 *
 * - A failure is listed from its first alert through `remind` or `escalate` until a success that resolves it.
 * - An acknowledged failure is neither reminded of nor escalated. Its repeats are posted as before, and begin nothing
 *   anew. After its recovery the next failure is a new one.
 * - The channels that were told of the failure are told once who has acknowledged it, unless the policy has
 *   `announce: false`. `PagerDuty` acknowledges its incident.
 * - In a terminal, `epilogue ack` does the same.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Acknowledgements, remind, Store } from "effect-epilogue/delivery"
 * import { Effect, Layer } from "effect"
 *
 * const alerter = Slack.layerConfig().pipe(remind({ every: "1 hour", persist: "nightly" }))
 *
 * const program = Effect.gen(function*() {
 *   const acknowledgements = yield* Acknowledgements
 *   const open = yield* acknowledgements.list
 *   yield* Effect.forEach(open, ({ key }) => acknowledgements.acknowledge(key, { by: "Ada", comment: "on it" }))
 * })
 *
 * const main = program.pipe(Effect.provide(
 *   Layer.merge(alerter, Acknowledgements.layer).pipe(
 *     Layer.provide(Store.layerSqlite({ filename: ".epilogue/alerts.db" }))
 *   )
 * ))
 * ```
 *
 * @see `remind` and `escalate` for the policies
 *
 * @category services
 * @since 0.1.0
 */
export class Acknowledgements extends Base {
  /** Acknowledges failures of all policies that have a name in the store (`persist`), of this process and others. */
  static readonly layer: Layer.Layer<Acknowledgements, never, Store> = Layer.effect(
    Acknowledgements,
    Effect.map(Store, (store) => of(Books.ofStore(store)))
  )

  /**
   * Acknowledges failures of this process, of the policies without `persist` that this layer is provided to.
   *
   * @example
   * ```ts
   * import { Slack } from "effect-epilogue/alerters"
   * import { Acknowledgements, remind } from "effect-epilogue/delivery"
   * import { Layer } from "effect"
   *
   * const alerter = Slack.layerConfig().pipe(
   *   remind({ every: "1 hour" }),
   *   Layer.provideMerge(Acknowledgements.layerMemory)
   * )
   * ```
   */
  static readonly layerMemory: Layer.Layer<Acknowledgements> = Layer.sync(Acknowledgements, () => of(Books.inProcess()))
}

const of = (book: Books.Book): Acknowledgements.Shape => {
  const service: Acknowledgements.Shape = {
    list: Effect.map(book.entries, (entries) => [...entries].map(openAlert).toSorted(bySince)),
    acknowledge: (name, { by, comment }) =>
      Effect.gen(function*() {
        const before = yield* book.entries
        const key = before.has(name) ? name : [...before.keys()].find((key) => idOf(key) === name)
        const at = yield* Clock.currentTimeMillis
        if (key !== undefined) {
          yield* book.acknowledge([key], { by, at, ...(comment === undefined ? {} : { comment }) })
          const entry = (yield* book.entries).get(key)
          if (entry !== undefined) return openAlert([key, entry])
        }
        return yield* new NotOpenError({ key: name, open: [...before.keys()] })
      })
  }
  booksOf.set(service, book)
  return service
}

const openAlert = ([key, entry]: readonly [string, Books.Entry]): OpenAlert => {
  const { acknowledged, failures, severity, since, title, told } = entry
  return {
    key,
    id: idOf(key),
    title,
    severity,
    since: DateTime.makeUnsafe(since),
    failures,
    told,
    acknowledged: acknowledged && {
      by: acknowledged.by,
      comment: acknowledged.comment,
      at: DateTime.makeUnsafe(acknowledged.at)
    }
  }
}

const bySince = (a: OpenAlert, b: OpenAlert): number => a.since.epochMilliseconds - b.since.epochMilliseconds

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace Acknowledgements {
  /**
   * The functions of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** The failures that are open, the oldest first, with those that are acknowledged. */
    readonly list: Effect.Effect<ReadonlyArray<OpenAlert>>
    /**
     * Acknowledges a failure by its key or its short name, and returns it. If somebody has acknowledged it before, that
     * stays so. Names are shown up to 100 characters, comments up to 2,000.
     */
    readonly acknowledge: (
      key: string,
      options: { readonly by: string; readonly comment?: string | undefined }
    ) => Effect.Effect<OpenAlert, NotOpenError>
  }
}
