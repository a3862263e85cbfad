/** What is stored of a run. Once written these must stay readable: fields are added, never changed. */
import * as Schema from "effect/Schema"
import { AlertJson } from "../../../internal/alerts/json.ts"
import { display } from "../../../internal/text/redact.ts"
import { Kind, withLibrary } from "./errors.ts"

const Values = Schema.Record(Schema.String, Schema.Json)

/** A hook that is to run: which of its kind it is, and its name, lest another one takes its place. */
export const Owed = Schema.Struct({ kind: Kind, index: Schema.Int, name: Schema.String })

/** @internal */
export type Owed = typeof Owed.Type

/** Times are in milliseconds since 1970. */
export const Started = Schema.Struct({ startedAt: Schema.Finite })

/** Without a time where it had not. */
export const Begun = Schema.Struct({ startedAt: Schema.optionalKey(Schema.Finite) })

const facts = {
  startedAt: Schema.Finite,
  endedAt: Schema.Finite,
  /** The number of the last attempt, 1 for the first. */
  attempts: Schema.Int,
  params: Values,
  annotations: Values,
  owes: Schema.Array(Owed),
  /**
   * That another attempt follows, after so many milliseconds; or, `over`, that the time is up then. The first attempt
   * began at `since`.
   */
  again: Schema.optionalKey(Schema.Struct({ delay: Schema.Finite, over: Schema.Boolean, since: Schema.Finite })),
  /** That the code around it interrupted it. */
  leftOff: Schema.optionalKey(Schema.Boolean)
}

/** How a step or one of its attempts ended, and the hooks that it owes. */
export interface Fact {
  readonly exit: unknown
  readonly startedAt: number
  readonly endedAt: number
  readonly attempts: number
  readonly params: Readonly<Record<string, Schema.Json>>
  readonly annotations: Readonly<Record<string, Schema.Json>>
  readonly owes: ReadonlyArray<Owed>
  readonly again?: { readonly delay: number; readonly over: boolean; readonly since: number }
  readonly leftOff?: boolean
}

/** Made once for a pair of schemas, as a step made anew for each call has the same ones, and to compile one takes time. */
export const factSchema = (success: Schema.Top, error: Schema.Top | undefined): Schema.Top => {
  const key = error ?? none
  const ofSuccess = made.get(success) ?? new WeakMap<Schema.Top, Schema.Top>()
  made.set(success, ofSuccess)
  const known = ofSuccess.get(key)
  if (known !== undefined) return known
  const schema = Schema.Struct({
    exit: Schema.Exit(success, withLibrary(error), Schema.Defect({ includeStack: true })),
    ...facts
  })
  ofSuccess.set(key, schema)
  return schema
}

const made = new WeakMap<Schema.Top, WeakMap<Schema.Top, Schema.Top>>()

const none: Schema.Top = Schema.Never

/** How a hook ended, and the alerts that it posted, where they go through an outbox. */
export const HookRecord = Schema.Struct({
  outcome: Schema.Literals(["ended", "skipped", "failed"]),
  error: Schema.optionalKey(Schema.Defect()),
  alerts: Schema.optionalKey(Schema.Array(AlertJson))
})

/** @internal */
export type HookRecord = typeof HookRecord.Type

/** As it is shown, which is all that JSON holds of it and nothing that is secret. */
export const toJson = (values: Readonly<Record<string, unknown>>): Fact["params"] =>
  JSON.parse(JSON.stringify(display(values)))
