/**
 * Executes the parts of steps and runs as activities of a workflow, as `Activity.make` does. That makes the schemas of an
 * activity anew each time, and with them what encodes and decodes, which takes as long as the rest of an activity; here
 * they are kept by the schema of the result.
 */
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Activities from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { memoize } from "../memoize.ts"
import { type Problem, problemOf, toPlain } from "../stored/unstorable.ts"
import { keptOf, preparedOf } from "./keptResults.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** Returns a result that is recorded in place of one that can't be stored. */
export type Replace = (problem: Problem) => AnyEffect

/** The parts of an activity that engines ask for. */
type Executable = Pick<
  Activities.Activity<any, any, any>,
  "name" | "annotations" | "executeEncoded" | "exitSchemaPartial"
>

type AnyActivity = Activities.Activity<any, any, any>

interface Codec {
  readonly encode: (value: unknown) => AnyEffect
  readonly exitSchemaPartial: Executable["exitSchemaPartial"]
}

const codecOf = memoize((schema: Schema.Top): Codec => ({
  encode: encoderOf(schema),
  // the cast: the types of the schema are not known here
  exitSchemaPartial: Schema.Exit(
    Schema.toCodecJson(schema),
    Schema.Never,
    Schema.Unknown
  ) as unknown as Codec["exitSchemaPartial"]
}))

/** The cast: the types of the schema are not known here. */
const whole = (schema: Schema.Top): Codec["encode"] =>
  Schema.encodeEffect(Schema.toCodecJson(schema)) as Codec["encode"]

const isStruct = (schema: Schema.Top): schema is Schema.Struct<Schema.Struct.Fields> => "fields" in schema

/** Whether what fits a schema is its own JSON. */
const isJson = (schema: Schema.Constraint): boolean =>
  Schema.toCodecJson(schema).ast === schema.ast && SchemaAST.toType(schema.ast) === schema.ast

/**
 * Returns what encodes a result. Of a record only the fields are encoded that hold what others have made: its own are
 * JSON as they are, and to look at each of them takes longer than to encode the rest.
 */
const encoderOf = (schema: Schema.Top): Codec["encode"] => {
  if (!isStruct(schema)) return whole(schema)
  const changed = Object.entries(schema.fields).filter(([, field]) => !isJson(field))
  const names = changed.map(([name]) => name)
  const encode = whole(Schema.Struct(Object.fromEntries(changed)))
  return (record) => {
    // the cast: the value of a struct
    const fields = record as object
    if (!names.some((name) => name in fields)) return Effect.succeed(record)
    const encoded = encode(record)
    // the cast: what encodes a struct makes an object
    const withRest = (encoded: unknown) => ({ ...fields, ...(encoded as object) })
    return Exit.isExit(encoded) ? Exit.map(encoded, withRest) : Effect.map(encoded, withRest)
  }
}

const noAnnotations = Context.empty()

/** How a part of a run is recorded. */
export interface RecordOptions {
  /** The number of the attempt, 1 unless set. */
  readonly attempt?: number | undefined
  readonly annotations?: Context.Context<never> | undefined
  /** Returns the result to record where the one that is given can't be stored; without it that is a defect. */
  readonly replace?: ((value: any) => Replace) | undefined
}

/** A part of a run that is recorded. */
export interface Activity extends RecordOptions {
  readonly name: string
  /** The schema of its result. */
  readonly schema: Schema.Top
  /** Fails only where the engine interrupts it. */
  readonly execute: AnyEffect
}

/**
 * Returns an effect that executes an activity of the run; once its result is recorded, it returns that instead. All engines
 * get the same JSON.
 */
export const activity = (
  { annotations = noAnnotations, attempt = 1, execute, name, replace, schema }: Activity
): AnyEffect => {
  const { encode, exitSchemaPartial } = codecOf(schema)
  const stored = (value: unknown, replace: Replace | undefined): AnyEffect => {
    const plain = (exit: Exit.Exit<unknown, unknown>): AnyEffect => {
      const found = exit._tag === "Success" ? toPlain(exit.value) : { problem: problemOf(value, exit.cause) }
      if ("plain" in found) return Effect.succeed(found.plain)
      const { problem } = found
      if (problem !== undefined && replace !== undefined) {
        return Effect.flatMap(replace(problem), (value) => stored(value, undefined))
      }
      return exit._tag === "Success"
        ? Effect.die(new TypeError(`the result of ${JSON.stringify(name)} can't be stored as JSON`))
        : Effect.orDie(exit)
    }
    const encoded = encode(value)
    // schemas that wait for nothing encode at once
    return Exit.isExit(encoded) ? plain(encoded) : Effect.flatMap(Effect.exit(encoded), plain)
  }
  const executable: Executable = {
    name,
    annotations,
    executeEncoded: Effect.provideService(
      Effect.flatMap(execute, (value) => stored(value, replace?.(value))),
      Activities.CurrentAttempt,
      attempt
    ),
    exitSchemaPartial
  }
  return Effect.contextWith((context: Context.Context<WorkflowEngine | WorkflowInstance>) => {
    const engine = Context.get(context, WorkflowEngine)
    const instance = Context.get(context, WorkflowInstance)
    const keeping = preparedOf(instance, name, attempt) ??
      // what a transaction has undone has to be done again
      (Context.get(annotations, ClusterSchema.WithTransaction)
        ? undefined
        : keptOf(engine)?.of(instance, name, attempt))
    const executed = engine.activityExecute(
      // the cast: engines ask for nothing else of an activity
      (keeping === undefined
        ? executable
        : { ...executable, executeEncoded: keeping.kept(executable.executeEncoded) }) as AnyActivity,
      attempt
    )
    const recorded = keeping === undefined ? executed : Effect.tap(executed, () => keeping.forget)
    return Effect.flatMap(
      Workflow.wrapActivityResult(recorded, ({ _tag }) => _tag === "Suspended"),
      (result): AnyEffect => {
        if (result._tag === "Complete") return result.exit
        if (result.failed === true) instance.failed = true
        return Workflow.suspend(instance)
      }
    )
  })
}
