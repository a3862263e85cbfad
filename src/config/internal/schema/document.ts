/** The Schema of a file, and what editors take instead of it. */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import {
  duration,
  flag,
  type FromFile,
  maybeSecret,
  number,
  oneOf,
  reference,
  whole
} from "../../../alerters/internal/channel/schema/leaf.ts"
import { isMap, map, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import type { InheritMode } from "../../../Hooks.ts"
import { kinds } from "../../../internal/model/hooks.ts"
import type {
  Defaults,
  Document,
  HookEntry,
  HookList,
  HooksByKind,
  Inherit,
  Retry,
  StepDocument
} from "../../Document.ts"
import { AlerterSpec } from "./alerter.ts"

/** A key that has no effect, by what is beside it, is an error where it stands. */
const needless = <T extends object>(
  key: keyof T & string,
  isNeedless: (value: T) => boolean,
  expected: string,
  json: JsonSchema.JsonSchema
) =>
  Schema.makeFilter<T>(
    (value) => key in value && isNeedless(value) ? { path: [key], issue: expected } : undefined,
    { expected, toJsonSchema: () => ({ anyOf: [{ not: { required: [key] } }, json] }) }
  )

/** A key that has no effect without another. */
const needs = <T extends object>(key: keyof T & string, other: keyof T & string) =>
  needless<T>(key, (value) => !(other in value), `${other} beside it, without which it has no effect`, {
    required: [other]
  })

// -----------------------------------------------------------------------------
// retry and timeout
// -----------------------------------------------------------------------------

const Times = whole(1)

const RetryMap: FromFile<Retry> = map(
  "a map with the key times",
  Schema.Struct({
    times: Times.annotateKey({ description: "How many attempts may follow the first." }),
    delay: optional(duration({ zero: true }), "Before the second attempt. None unless set."),
    backoff: optional(oneOf(["constant", "linear", "exponential"]), "How the delay grows. It stays unless set."),
    factor: optional(number(1), "By how much an exponential delay grows. It doubles unless set."),
    maxDelay: optional(duration(), "The longest delay."),
    jitter: optional(flag, "Whether delays vary by chance.")
  }).check(
    needs("backoff", "delay"),
    needs("jitter", "delay"),
    needless<Retry>(
      "factor",
      ({ backoff }) => backoff !== "exponential",
      "backoff: exponential beside it, without which it has no effect",
      { required: ["backoff"], properties: { backoff: { not: { enum: ["constant", "linear"] } } } }
    ),
    needless<Retry>(
      "maxDelay",
      ({ backoff }) => backoff === undefined || backoff === "constant",
      "backoff: linear or exponential beside it, without which it has no effect",
      { required: ["backoff"], properties: { backoff: { not: { const: "constant" } } } }
    )
  ).annotate({ identifier: "Retry" })
)

const aRetry = "a number of further attempts, or a map with the key times"

const HookRetry = Schema.Union([Times, RetryMap]).annotate({ expected: aRetry })

const no = Schema.Literal(false).annotate({ expected: "false" })

const aTimeout = "a duration such as \"2 minutes\", a number of seconds more than 0"

const bodyKeys = {
  retry: optional(
    Schema.Union([Times, no, RetryMap]).annotate({ expected: `${aRetry}, or false` }),
    "Tries again after failure. A number is how many attempts may follow the first; false takes the code's retry away."
  ),
  timeout: optional(
    Schema.Union([duration(), no]).annotate({ expected: `${aTimeout}, or false` }),
    "How long a step may take. A number is one of seconds; false takes the code's limit away."
  )
}

const DefaultsMap: FromFile<Defaults> = map("a map with the keys retry and timeout", Schema.Struct(bodyKeys))

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

const Tag = maybeSecret("the _tag of an error, as text")

const When = map(
  "a map with the key tag",
  Schema.Struct({
    tag: Schema.Union([
      Tag,
      Schema.Array(Tag).check(Schema.isMinLength(1)).annotate({ expected: "at least one _tag" })
    ]).annotate({ expected: "the _tag of an error, or a list of some" }).annotateKey({
      description: "The _tag that the error has, or some of which it has one."
    })
  })
)

const hookKeys = {
  use: reference.annotateKey({
    description: "Where the hook is: ./hooks.ts#name, package#name, epilogue#alerterFailure, dir.module.name."
  }),
  name: optional(maybeSecret("a name, as text"), "As in logs, spans and events."),
  timeout: optional(duration(), "How long the hook may take. A number is one of seconds."),
  retry: optional(HookRetry, "Tries the hook again when it fails. A number is how many attempts may follow the first."),
  background: optional(flag, "Whether nobody waits for it."),
  required: optional(flag, "Whether the step fails where the hook does.")
}

const both = needless<HookEntry>(
  "background",
  ({ background, required }) => background === true && required === true,
  "no background: true beside required: true, since nobody waits for it",
  { not: { properties: { background: { const: true }, required: { const: true } }, required: ["required"] } }
)

const aHook = "a reference such as ./hooks.ts#name, or a map with the key use"

const listOf = (entry: FromFile<HookEntry>, identifier: string): FromFile<HookList> => {
  const hook = map("a map with the key use", entry.annotate({ identifier }))
  return Schema.Union([
    reference,
    hook,
    Schema.Array(Schema.Union([reference, hook]).annotate({ expected: aHook })).check(
      Schema.isMinLength(1, { expected: "at least one hook (inherit: off takes hooks away)" })
    )
  ]).annotate({ identifier: `${identifier}s`, expected: `${aHook}, or a list of such` })
}

const AnyHooks = listOf(Schema.Struct(hookKeys).check(both), "Hook")

// only failures have tags
const FailureHooks = listOf(
  Schema.Struct({ ...hookKeys, when: optional(When, "Which failures the hook is for.") }).check(both),
  "FailureHook"
)

const runKinds = {
  start: optional(AnyHooks, "Before the body."),
  success: optional(AnyHooks, "After success."),
  failure: optional(FailureHooks, "After failure."),
  interrupt: optional(AnyHooks, "After interruption."),
  exit: optional(FailureHooks, "At the end, whatever it is.")
}

const aHooksMap = "a map of hooks by their kind"

// a run is tried once
const RunHooksMap: FromFile<HooksByKind> = map(
  aHooksMap,
  Schema.Struct(runKinds).annotate({ identifier: "RunHooksByKind" })
)

const HooksMap: FromFile<HooksByKind> = map(
  aHooksMap,
  Schema.Struct({
    ...runKinds,
    retry: optional(FailureHooks, "After an attempt that is followed by another.")
  }).annotate({ identifier: "HooksByKind" })
)

const Mode: FromFile<InheritMode> = oneOf(["override", "append", "prepend", "off"])

const InheritModes: FromFile<Inherit> = Schema.Union([
  Mode,
  map(
    "a map of modes by the kind of hook",
    Schema.Struct({
      start: Schema.optionalKey(Mode),
      retry: Schema.optionalKey(Mode),
      success: Schema.optionalKey(Mode),
      failure: Schema.optionalKey(Mode),
      interrupt: Schema.optionalKey(Mode),
      exit: Schema.optionalKey(Mode)
    })
  )
]).annotate({
  identifier: "Inherit",
  expected: "\"override\", \"append\", \"prepend\" or \"off\", or a map of these by the kind of hook"
})

const adding = ["append", "prepend"]

/** The modes of `stepHooks` that add to hooks, where there is none to be added. */
const idleModes = Schema.makeFilter<Document>(({ inherit, stepHooks = {} }) => {
  if (inherit === undefined) return undefined
  if (typeof inherit === "string") {
    return adding.includes(inherit) && Object.keys(stepHooks).length === 0
      ? { path: ["inherit"], issue: "stepHooks beside it, without which it has no effect" }
      : undefined
  }
  return Object.entries(inherit)
    .filter(([kind, mode]) => adding.includes(mode) && !Object.hasOwn(stepHooks, kind))
    .map(([kind]) => ({
      path: ["inherit", kind],
      issue: `stepHooks of the kind ${kind}, without which it has no effect`
    }))
}, {
  toJsonSchema: () => ({
    allOf: [
      {
        anyOf: [
          { not: { required: ["inherit"], properties: { inherit: { enum: adding } } } },
          { required: ["stepHooks"], properties: { stepHooks: { minProperties: 1 } } }
        ]
      },
      ...kinds.map((kind) => {
        const byKind = { not: { type: "string" }, required: [kind], properties: { [kind]: { enum: adding } } }
        return {
          anyOf: [
            { not: { required: ["inherit"], properties: { inherit: byKind } } },
            { required: ["stepHooks"], properties: { stepHooks: { required: [kind] } } }
          ]
        }
      })
    ]
  })
})

const modes =
  "override (its own where it has any), append (the inherited first), prepend (its own first), off (none of "
  + "the inherited). For all kinds, or by kind."

// -----------------------------------------------------------------------------
// the whole
// -----------------------------------------------------------------------------

const Fields = Schema.Record(Schema.String, Schema.Unknown)

const Params = map(
  "a map of parameters by the service's key",
  Schema.Record(Schema.String, map("a map of the service's fields", Fields)).annotate({ identifier: "Params" })
)

const Annotations = map("a map of annotations by their names", Fields)

const StepMap: FromFile<StepDocument> = map(
  "a map of what the step is told",
  Schema.Struct({
    inherit: optional(
      InheritModes,
      `How the step's hooks, those of the code where the file has none, stand to those of every step: ${modes}`
    ),
    hooks: optional(HooksMap, "Hooks of the step."),
    ...bodyKeys,
    params: optional(Params, "Parameters for this step, by the service's key, over those of the run."),
    annotations: optional(Annotations, "What is noted about the step.")
  }).annotate({ identifier: "Step" })
)

/** @internal */
export const document: FromFile<Document> = map(
  "a map with keys such as pipeline, steps and alerter",
  Schema.Struct({
    $schema: optional(Schema.String.annotate({ expected: "the address of a JSON Schema, as text" }), "For editors."),
    pipeline: optional(reference, "Where the pipeline is: ./nightly-etl.ts#pipeline."),
    runName: optional(maybeSecret("a name, as text"), "The name of the run."),
    annotations: optional(Annotations, "What is noted about the run."),
    params: optional(Params, "Parameters by the service's key."),
    hooks: optional(RunHooksMap, "Hooks of the run itself."),
    stepHooks: optional(HooksMap, "Hooks of every step."),
    inherit: optional(InheritModes, `How stepHooks stand to the hooks of the code: ${modes}`),
    defaults: optional(DefaultsMap, "For every step that is told nothing of its own."),
    steps: optional(
      map("a map of steps by their names", Schema.Record(Schema.String, StepMap)),
      "Steps by their names."
    ),
    // Suspended, or it would lose in the JSON Schema that it is optional.
    alerter: optional(Schema.suspend((): FromFile<AlerterSpec> => AlerterSpec), "Where alerts go.")
  }).check(idleModes)
)

const isDescription = (value: unknown): boolean => isMap(value) && Object.keys(value).join() === "description"

/** Descriptions where editors look for them first: beside what they describe rather than under `allOf`. */
const lifted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(lifted)
  if (!isMap(value)) return value
  const parts = Array.isArray(value["allOf"]) ? value["allOf"] : []
  if (!parts.some(isDescription)) return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, lifted(v)]))
  const { allOf: _, ...others } = value
  const kept = parts.filter((part) => !isDescription(part))
  const [only] = kept
  return lifted({
    ...others,
    ...(kept.length === 0
      ? {}
      : kept.length === 1 && isMap(only) && Object.keys(others).length === 0
      ? only
      : { allOf: kept }),
    ...parts.find(isDescription)
  })
}

/** @internal */
export const jsonSchema = (): JsonSchema.JsonSchema => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(document, { onExcessProperty: "error" })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:effect-epilogue:config",
    title: "effect-epilogue",
    description: "A pipeline, its hooks, parameters and alerts.",
    ...Object(lifted(schema)),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: lifted(definitions) })
  }
}
