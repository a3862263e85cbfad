/**
 * Converts what the embedded engine stores to texts and back: exits of activities and deferreds, whose values their
 * schemas have encoded already, payloads, and results of runs.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { memoize } from "../../memoize.ts"
import { StoredDefectWithStack } from "../../stored/errors.ts"

type AnyExit = Exit.Exit<unknown, unknown>

type StoredReason =
  | { readonly _tag: "Fail"; readonly error?: unknown }
  | { readonly _tag: "Die"; readonly defect?: unknown }
  | { readonly _tag: "Interrupt"; readonly fiberId?: number | null }

type StoredExit =
  | { readonly _tag: "Success"; readonly value?: unknown }
  | { readonly _tag: "Failure"; readonly cause: ReadonlyArray<StoredReason> }

/** How defects are stored: those of activities are any value, those of deferreds are encoded already. */
interface Defects {
  readonly encode: (defect: unknown) => unknown
  readonly decode: (stored: unknown) => unknown
}

const asTheyAre: Defects = { encode: (defect) => defect, decode: (stored) => stored }

const ofAnyValue: Defects = {
  encode: Schema.encodeSync(StoredDefectWithStack) as Defects["encode"],
  // the cast: what was stored has been encoded by this schema
  decode: Schema.decodeSync(StoredDefectWithStack) as Defects["decode"]
}

const toStored = (exit: AnyExit, defects: Defects): StoredExit =>
  Exit.isSuccess(exit)
    ? { _tag: "Success", value: exit.value }
    : {
      _tag: "Failure",
      cause: exit.cause.reasons.map((reason): StoredReason =>
        Cause.isFailReason(reason)
          ? { _tag: "Fail", error: reason.error }
          : Cause.isDieReason(reason)
          ? { _tag: "Die", defect: defects.encode(reason.defect) }
          : { _tag: "Interrupt", fiberId: reason.fiberId ?? null }
      )
    }

const fromStored = (stored: StoredExit, defects: Defects): AnyExit =>
  stored._tag === "Success"
    ? Exit.succeed(stored.value)
    : Exit.failCause(Cause.fromReasons(stored.cause.map((reason) =>
      reason._tag === "Fail"
        ? Cause.makeFailReason(reason.error)
        : reason._tag === "Die"
        ? Cause.makeDieReason(defects.decode(reason.defect))
        : Cause.makeInterruptReason(reason.fiberId ?? undefined)
    )))

const parse = (text: string): StoredExit => JSON.parse(text)

/**
 * Returns the text of an activity's exit, and the exit itself: another one where a value has no JSON, such as a `bigint`
 * or a cycle that the schema lets pass.
 */
export const activityExit = (name: string, exit: AnyExit): { readonly text: string; readonly exit: AnyExit } => {
  try {
    return { text: JSON.stringify(toStored(exit, ofAnyValue)), exit }
  } catch (cause) {
    const defect = new TypeError(`the result of ${JSON.stringify(name)} can't be stored as JSON`, { cause })
    const died = Exit.die(defect)
    return { text: JSON.stringify(toStored(died, ofAnyValue)), exit: died }
  }
}

/** @internal */
export const fromActivityExit = (text: string): AnyExit => fromStored(parse(text), ofAnyValue)

/** Returns the text of the exit of a deferred. Throws where a value has no JSON. */
export const deferredExit = (exit: AnyExit): string => JSON.stringify(toStored(exit, asTheyAre))

/** @internal */
export const fromDeferredExit = (text: string): AnyExit => fromStored(parse(text), asTheyAre)

// -----------------------------------------------------------------------------
// runs
// -----------------------------------------------------------------------------

type Codec = Schema.Codec<any, unknown>

interface Codecs {
  readonly payload: Codec
  readonly result: Codec
}

const codecsOf = memoize(({ errorSchema: error, payloadSchema, successSchema: success }: Workflow.Any): Codecs => ({
  // the casts: services of the schemas are in the context of those who register, submit or poll
  payload: Schema.toCodecJson(payloadSchema) as unknown as Codec,
  result: Schema.toCodecJson(Workflow.Result({ success, error })) as unknown as Codec
}))

/** Dies where the payload does not fit its schema or has no JSON. */
export const encodePayload = (workflow: Workflow.Any, payload: object): Effect.Effect<string> =>
  Effect.orDie(Effect.map(Schema.encodeEffect(codecsOf(workflow).payload)(payload), (json) => JSON.stringify(json)))

/** @internal */
export const decodePayload = (workflow: Workflow.Any, text: string): Effect.Effect<object, Schema.SchemaError> =>
  Schema.decodeUnknownEffect(codecsOf(workflow).payload)(JSON.parse(text))

/** The end of a run that is no result: a defect, of a workflow that does not capture them. */
interface Uncaptured {
  readonly _tag: "Uncaptured"
  readonly exit: StoredExit
}

type Result = Workflow.Result<unknown, unknown>

/** Returns the text of a run's result, and the result: where it does not fit its schema that is a defect. */
export const encodeResult = (
  workflow: Workflow.Any,
  result: Result
): Effect.Effect<{ readonly text: string; readonly result: Result }> =>
  Effect.map(Schema.encodeEffect(codecsOf(workflow).result)(result), (json) => ({
    text: JSON.stringify(json),
    result
  })).pipe(
    Effect.catchCause((cause) => {
      const defect = Cause.squash(cause)
      const died = new Workflow.Complete<unknown, unknown>({ exit: Exit.die(defect) })
      const exit = toStored(died.exit, ofAnyValue)
      return Effect.succeed({ text: JSON.stringify({ _tag: "Complete", exit }), result: died })
    })
  )

/** @internal */
export const uncapturedText = (cause: Cause.Cause<unknown>): string => {
  const uncaptured: Uncaptured = { _tag: "Uncaptured", exit: toStored(Exit.failCause(cause), ofAnyValue) }
  return JSON.stringify(uncaptured)
}

/** Dies with the defect of a run that has not captured it, and where the result no longer fits its schema. */
export const decodeResult = (workflow: Workflow.Any, text: string): Effect.Effect<Result> =>
  Effect.suspend(() => {
    const json: { readonly _tag: string } | Uncaptured = JSON.parse(text)
    if ("exit" in json && json._tag === "Uncaptured") {
      return fromStored(json.exit, ofAnyValue) as Exit.Exit<never> // the cast: it is a failure without errors
    }
    return Effect.orDie(Schema.decodeUnknownEffect(codecsOf(workflow).result)(json))
  })
