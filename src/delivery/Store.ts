/**
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Schema from "effect/Schema"
import { checked, spanMistakes, text } from "../internal/model/options.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"
import { make } from "./internal/state/database.ts"
import { inKeyValueStore } from "./internal/state/keyValue.ts"
import { inSqlite } from "./internal/state/sqlite.ts"
import type { State } from "./internal/state/state.ts"

const ErrorBase: new(fields: { readonly filename: string | undefined; readonly detail: string }) =>
  & Cause.YieldableError
  & {
    readonly _tag: "StoreError"
    readonly filename: string | undefined
    readonly detail: string
  } = selfExplained(
    Data.TaggedError("StoreError")<{ readonly filename: string | undefined; readonly detail: string }>
  )

/**
 * The error of a {@link Store} that can't be opened: its file is damaged, say, is a link, or can't be made.
 *
 * `filename` is `undefined` where the text may be an address with a password, rather than a path.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreError extends ErrorBase {
  /** Names the file, unless it may be an address, and says what is wrong with it. */
  override get message(): string {
    return `can't open the store${this.filename === undefined ? "" : ` ${this.filename}`}${this.detail}`
  }
}

const Base: Context.ServiceClass<Store, "effect-epilogue/delivery/Store", Store.Shape> = Context.Service<
  Store,
  Store.Shape
>()("effect-epilogue/delivery/Store")

/**
 * The service that keeps the states of policies with the option `persist`, from one process to the next and between
 * processes that run at the same time.
 *
 * **Details**
 *
 * Each policy has a state of its own in the store, named after its kind and its `persist`. One store serves all policies
 * of a script, and all scripts whose policies have different names.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { dedupe, digest, Store } from "effect-epilogue/delivery"
 * import { Layer } from "effect"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   digest({ window: "7 days", persist: "nightly" }),
 *   dedupe({ window: "3 days", persist: "nightly" }),
 *   Layer.provide(Store.layerSqlite({ filename: ".epilogue/alerts.db" }))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Store extends Base {
  /**
   * Keeps states in a file of SQLite, which any number of processes of one machine may share.
   *
   * **Details**
   *
   * - Each change is one transaction, so two processes lose nothing and count nothing twice. A held alert is claimed and
   *   taken out by exactly one of them.
   * - The claim of a process that was killed ends after six minutes; on Linux at once, where the system says that the
   *   process is gone. The alert is posted again then, since it may or may not have arrived.
   * - The file and its folder are made where they are missing, for their owner alone, and rights of others are taken
   *   away. What SQLite puts beside the file goes when the last process closes it.
   * - A change waits up to `busyTimeout` while the file is locked, 5 seconds unless set. Where it can't be written
   *   (locked, disk full, damaged), the log says so, alerts are held in memory and written later, and what the file does
   *   not have when the scope closes is posted then. A file that was deleted meanwhile is made again.
   * - Entries that can't be read, of another version say, are kept in a table of their own, and the log says so.
   *
   * **Gotchas**
   *
   * - It needs Bun, Deno, or Node 22.19 or later, and a file that is not on a network drive.
   * - A file that is damaged or no database, a symbolic link in `.epilogue` or to no file, and a file that can't be made
   *   fail with a {@link StoreError}.
   * - A `filename` that may be the address of a database fails too, with an error that does not repeat it. Begin a path
   *   that has any of `: @ = ? # % & ; ,` in it with `./` or `/`.
   */
  static layerSqlite(
    options: { readonly filename: string; readonly busyTimeout?: Duration.Input | undefined }
  ): Layer.Layer<Store, StoreError> {
    const { busyTimeout = "5 seconds", filename } = options
    return Layer.effect(
      Store,
      Effect.suspend(() => {
        checked("Store.layerSqlite", options, {
          filename: text,
          busyTimeout: (what, value) => spanMistakes(what, value, true)
        })
        return make(filename, Duration.toMillis(busyTimeout))
      }).pipe(
        Effect.mapBoth({
          onSuccess: (database): Store.Shape => ({ state: (name, schema) => inSqlite(database, name, schema) }),
          onFailure: ({ detail, shows }) => new StoreError({ filename: shows ? filename : undefined, detail })
        })
      )
    )
  }

  /**
   * Keeps states in a `KeyValueStore` of `effect/persistence`, each under one key: in Redis, say, for scripts that run
   * on one machine after the other.
   *
   * **When to use**
   *
   * Where there is no file to share, and one process at a time uses the store.
   *
   * **Gotchas**
   *
   * - A `KeyValueStore` can't read and write in one step. Processes that use the same state at the same time write
   *   again what they see overwritten, but the last writes of one that has ended may be lost, and an alert that both
   *   take for theirs is posted twice. The first process that notices another one says so in the log.
   * - A store that fails, hangs or is emptied costs no alert: what it does not have is posted as the scope closes.
   */
  static readonly layerKeyValueStore: Layer.Layer<Store, never, KeyValueStore.KeyValueStore> = Layer.effect(
    Store,
    Effect.map(KeyValueStore.KeyValueStore, (store): Store.Shape => ({
      state: (name, schema) => inKeyValueStore(store, name, schema)
    }))
  )
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace Store {
  /**
   * The functions of the service, which policies call.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** Makes the state of that name, whose entries have the Schema. */
    readonly state: <A>(name: string, schema: Schema.Codec<A, unknown>) => State<A>
  }
}
