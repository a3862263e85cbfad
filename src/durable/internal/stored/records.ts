/**
 * Schemas of what is stored of a run. Stored records must stay readable by later versions: fields may be added, and
 * must not be renamed or change their type.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { AlertJson } from "../../../internal/alerts/json.ts"
import { display } from "../../../internal/text/redact.ts"
import { memoize } from "../memoize.ts"
import { Kind, StoredDefect, StoredDefectWithStack, withLibrary } from "./errors.ts"

const Values = Schema.Record(Schema.String, Schema.Json)

/**
 * A hook that must still run after a recorded exit, by its kind, its index within that kind, and its name, which keeps
 * another hook at this index from running in its place.
 */
export const PendingHook = Schema.Struct({ kind: Kind, index: Schema.Int, name: Schema.String })

/** @internal */
export type PendingHook = typeof PendingHook.Type

/** The fields that tell a step from others of its name when a run resumes with other code. */
const placed = {
  /** Its place among those that the body's own fiber asks for, one after another. */
  order: Schema.optionalKey(Schema.Int),
  /** A mark of its annotations and parameters, where it has any. */
  about: Schema.optionalKey(Schema.String)
}

/** @internal */
export interface Placed {
  readonly order?: number
  readonly about?: string
}

/** The name of the activity that sets the clock of a run's time limit, and of that clock. */
export const limitClock = "run/timeout"

/** The start of a step with start hooks, or of a run. Times are in milliseconds since 1970. */
export const StartRecord = Schema.Struct({
  startedAt: Schema.Finite,
  ...placed,
  /** Tells the texts of a run's body apart. */
  code: Schema.optionalKey(Schema.String),
  /** The span of the run in the process that began it, where a tracer listened. */
  span: Schema.optionalKey(
    Schema.Struct({ traceId: Schema.String, spanId: Schema.String, sampled: Schema.Boolean })
  )
})

/** Records whether a step has begun: without `startedAt` it had not. */
export const BegunRecord = Schema.Struct({ startedAt: Schema.optionalKey(Schema.Finite), ...placed })

/** The version of a part of the body that a run has, and the number of steps before it. */
export const VersionRecord = Schema.Struct({ version: Schema.Int, order: Schema.Int })

/** The positions, among the errors of a cause, of those that alerts have told. */
const Told = Schema.optionalKey(Schema.Array(Schema.Int))

const endRecordFields = {
  startedAt: Schema.Finite,
  endedAt: Schema.Finite,
  /** The start of the first attempt, where an approval came before it. */
  bodyAt: Schema.optionalKey(Schema.Finite),
  /** The number of the last attempt, 1 for the first. */
  attempts: Schema.Int,
  ...placed,
  params: Values,
  annotations: Values,
  pendingHooks: Schema.Array(PendingHook),
  /**
   * Present on a failed attempt that another follows after `delay` milliseconds; with `timedOut` the time limit of all
   * attempts is up then, and none follows. `firstStartedAt` is the start of the first attempt.
   */
  retry: Schema.optionalKey(
    Schema.Struct({ delay: Schema.Finite, timedOut: Schema.Boolean, firstStartedAt: Schema.Finite })
  ),
  /** The origin of an interruption, where an attempt has not ended with one. */
  interruptedBy: Schema.optionalKey(Schema.Literals(["caller", "run"])),
  /** The errors of the exit that the hooks of inner steps have told. */
  told: Told
}

/** The origin of an interruption: the code around the step, as of the loser of a race, or the interruption of its run. */
export type InterruptedBy = "caller" | "run"

/** The end of a step, of one of its attempts, or of a run, with the hooks that must still run. */
export interface EndRecord extends Placed {
  readonly exit: unknown
  readonly startedAt: number
  readonly endedAt: number
  readonly bodyAt?: number
  readonly attempts: number
  readonly params: Readonly<Record<string, Schema.Json>>
  readonly annotations: Readonly<Record<string, Schema.Json>>
  readonly pendingHooks: ReadonlyArray<PendingHook>
  readonly retry?: { readonly delay: number; readonly timedOut: boolean; readonly firstStartedAt: number }
  readonly interruptedBy?: InterruptedBy
  readonly told?: ReadonlyArray<number>
}

const schemasOf = memoize((success: Schema.Top) =>
  memoize((error: Schema.Top) =>
    Schema.Struct({
      exit: Schema.Exit(success, withLibrary(error === noError ? undefined : error), StoredDefectWithStack),
      ...endRecordFields
    })
  )
)

const noError: Schema.Top = Schema.Never

const conditionOf = memoize((error: Schema.Top) =>
  Schema.Exit(Schema.Void, withLibrary(error === noError ? undefined : error), StoredDefectWithStack)
)

/** Returns the schema of the exit of a step's condition, which fails where the step is skipped. */
export const conditionSchema = (error: Schema.Top | undefined): Schema.Top => conditionOf(error ?? noError)

const insideOption = memoize((success: Schema.Top): Schema.Top =>
  success.pipe(Schema.decodeTo(
    Schema.Unknown,
    // the casts: the types in `Durable.ts` have checked that the schema is that of an Option
    SchemaTransformation.transform({
      decode: (option: unknown): unknown => Option.getOrUndefined(option as Option.Option<unknown>),
      encode: (value: unknown): any => Option.some(value)
    })
  ))
)

/**
 * Returns the schema of the value of a step whose callers get it in Options, as many as `Step.when`s come before
 * `Durable.step`. What is recorded is what callers get.
 */
export const insideOptions = (success: Schema.Top, options: number): Schema.Top =>
  options === 0 ? success : insideOptions(insideOption(success), options - 1)

/**
 * Returns the schema of an `EndRecord` with this result. It is cached by the pair of schemas: a step that is made anew for
 * each call passes the same pair.
 */
export const endRecordSchema = (success: Schema.Top, error: Schema.Top | undefined): Schema.Top =>
  schemasOf(success)(error ?? noError)

/** The end of a hook, and the alerts that it posted where they go through an outbox. */
export const HookRecord = Schema.Struct({
  outcome: Schema.Literals(["ended", "skipped", "failed"]),
  error: Schema.optionalKey(StoredDefect),
  /** The end of a start hook, after which the body begins, in milliseconds since 1970. */
  endedAt: Schema.optionalKey(Schema.Finite),
  /** `false` for a conditional hook that failed before it was known whether it had something to do. */
  applied: Schema.optionalKey(Schema.Boolean),
  alerts: Schema.optionalKey(Schema.Array(AlertJson)),
  /** The alert that waits for the end of the run, to say that the step is well. */
  settles: Schema.optionalKey(AlertJson),
  /** The errors of the step's exit that had been told when it ended, by this hook or before it. */
  told: Told
})

/** @internal */
export type HookRecord = typeof HookRecord.Type

/** Converts values to the JSON that is shown of them, without anything secret. */
export const toJson = (values: Readonly<Record<string, unknown>>): EndRecord["params"] =>
  Object.keys(values).length === 0 ? none : JSON.parse(JSON.stringify(display(values)))

const none: EndRecord["params"] = {}
