/** The Schema of a config file, and the JSON Schema for editors. */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import {
  duration,
  flag,
  type FromFile,
  leaf,
  maybeSecret,
  number,
  oneOf,
  reference,
  whole
} from "../../../alerters/internal/channel/schema/leaf.ts"
import { isMap, map, oneOrMore, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import type { InheritMode } from "../../../Hooks.ts"
import { kinds } from "../../../internal/model/hooks.ts"
import { AlerterSpec } from "./alerter.ts"
import type {
  Defaults,
  Document,
  HookEntry,
  HookList,
  HooksByKind,
  Inherit,
  Retry,
  StepDocument,
  Timeout
} from "./types.ts"

/** Makes a key an issue if other keys leave it without effect. `json` is the condition as JSON Schema. */
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

/** Makes a key an issue if another key, without which it has no effect, is missing. */
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
    times: Times.annotateKey({ description: "The largest number of attempts after the first." }),
    delay: optional(duration({ zero: true }), "The delay before the second attempt. None by default."),
    backoff: optional(oneOf(["constant", "linear", "exponential"]), "How the delay grows. Constant by default."),
    factor: optional(number(1), "The factor by which an exponential delay grows. 2 by default."),
    maxDelay: optional(duration(), "The longest delay."),
    jitter: optional(flag, "Whether delays vary at random.")
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

const retryForms = "a number of further attempts, or a map with the key times"

const HookRetry = Schema.Union([Times, RetryMap]).annotate({ expected: retryForms })

const no = Schema.Literal(false).annotate({ expected: "false" })

const timeoutForms = "a duration such as \"2 minutes\", a number of seconds more than 0, a map with the key limit"

const TimeoutMap: FromFile<Timeout> = map(
  "a map with the key limit",
  Schema.Struct({
    limit: duration().annotateKey({ description: "The time limit, also as a number of seconds." }),
    grace: optional(
      duration({ zero: true }),
      "How long what was interrupted at the limit may take to stop. Then it is left behind. 5 seconds by default."
    )
  }).annotate({ identifier: "Timeout" })
)

const BodyTimeout = Schema.Union([duration(), TimeoutMap, no]).annotate({ expected: `${timeoutForms}, or false` })

const bodyKeys = {
  retry: optional(
    Schema.Union([Times, no, RetryMap]).annotate({ expected: `${retryForms}, or false` }),
    "Runs the body again after a failure. A number is the largest number of attempts after the first. false removes the "
      + "retry of the code."
  ),
  timeout: optional(
    BodyTimeout,
    "The time limit of the body, also as a number of seconds. false removes the time limit of the code."
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
    ]).annotate({ expected: "the _tag of an error, or a list of tags" }).annotateKey({
      description: "The _tag of the error, or a list that contains it."
    })
  })
)

const hookKeys = {
  use: reference.annotateKey({
    description: "A reference to the hook: ./hooks.ts#name, package#name, epilogue#alerterFailure, dir.module.name."
  }),
  name: optional(maybeSecret("a name, as text"), "The name in logs, spans and events."),
  timeout: optional(duration(), "The time limit of the hook, also as a number of seconds."),
  retry: optional(
    HookRetry,
    "Runs the hook again after a failure. A number is the largest number of attempts after the first."
  ),
  background: optional(flag, "Whether the step goes on without waiting for the hook."),
  required: optional(flag, "Whether the step fails if the hook fails.")
}

const both = needless<HookEntry>(
  "background",
  ({ background, required }) => background === true && required === true,
  "no background: true beside required: true, since the step does not wait for it",
  { not: { properties: { background: { const: true }, required: { const: true } }, required: ["required"] } }
)

const hookForms = "a reference such as ./hooks.ts#name, or a map with the key use"

const listOf = (entry: FromFile<HookEntry>, identifier: string): FromFile<HookList> => {
  const hook = map("a map with the key use", entry.annotate({ identifier }))
  return Schema.Union([
    reference,
    hook,
    Schema.Array(Schema.Union([reference, hook]).annotate({ expected: hookForms })).check(
      Schema.isMinLength(1, { expected: "at least one hook (inherit: off removes hooks)" })
    )
  ]).annotate({ identifier: `${identifier}s`, expected: `${hookForms}, or a list of them` })
}

const AnyHooks = listOf(Schema.Struct(hookKeys).check(both), "Hook")

// Only failures have an error with a tag, so only their hooks have `when`.
const FailureHooks = listOf(
  Schema.Struct({ ...hookKeys, when: optional(When, "The failures that the hook runs for. All by default.") }).check(
    both
  ),
  "FailureHook"
)

const runKinds = {
  start: optional(AnyHooks, "Run before the body."),
  success: optional(AnyHooks, "Run after success."),
  failure: optional(FailureHooks, "Run after failure."),
  interrupt: optional(AnyHooks, "Run after interruption."),
  exit: optional(FailureHooks, "Run at the end, whatever the outcome.")
}

const hooksByKind = "a map of hooks by their kind"

// A run is not retried, so it has no retry hooks.
const RunHooksMap: FromFile<HooksByKind> = map(
  hooksByKind,
  Schema.Struct(runKinds).annotate({ identifier: "RunHooksByKind" })
)

const HooksMap: FromFile<HooksByKind> = map(
  hooksByKind,
  Schema.Struct({
    ...runKinds,
    retry: optional(FailureHooks, "Run after a failed attempt, before the next.")
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

const combining = ["append", "prepend"]

/** Makes a mode that combines hooks an issue if the file has no `stepHooks` of the kind to combine. */
const idleModes = Schema.makeFilter<Document>(({ inherit, stepHooks = {} }) => {
  if (inherit === undefined) return undefined
  if (typeof inherit === "string") {
    return combining.includes(inherit) && Object.keys(stepHooks).length === 0
      ? { path: ["inherit"], issue: "stepHooks beside it, without which it has no effect" }
      : undefined
  }
  return Object.entries(inherit)
    .filter(([kind, mode]) => combining.includes(mode) && !Object.hasOwn(stepHooks, kind))
    .map(([kind]) => ({
      path: ["inherit", kind],
      issue: `stepHooks of the kind ${kind}, without which it has no effect`
    }))
}, {
  toJsonSchema: () => ({
    allOf: [
      {
        anyOf: [
          { not: { required: ["inherit"], properties: { inherit: { enum: combining } } } },
          { required: ["stepHooks"], properties: { stepHooks: { minProperties: 1 } } }
        ]
      },
      ...kinds.map((kind) => {
        const byKind = { not: { type: "string" }, required: [kind], properties: { [kind]: { enum: combining } } }
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
  "override (own hooks replace inherited ones of the same kind where one of them has something to do), append (inherited hooks run first), prepend (own "
  + "hooks run first), off (no inherited hooks). One mode for all kinds, or one for each."

// -----------------------------------------------------------------------------
// document
// -----------------------------------------------------------------------------

const Fields = Schema.Record(Schema.String, Schema.Unknown)

const Params = map(
  "a map of parameters by the service's key",
  Schema.Record(Schema.String, map("a map of the service's fields", Fields)).annotate({ identifier: "Params" })
)

const Annotations = map("a map of annotations by their names", Fields)

const StepMap: FromFile<StepDocument> = map(
  "a map with keys such as hooks, retry and timeout",
  Schema.Struct({
    inherit: optional(
      InheritModes,
      `How the hooks of the step, from the file or else from the code, combine with stepHooks: ${modes}`
    ),
    hooks: optional(HooksMap, "Hooks of the step."),
    ...bodyKeys,
    params: optional(Params, "Parameters for this step, by the key of the service. They win over those of the run."),
    annotations: optional(Annotations, "Annotations of the step.")
  }).annotate({ identifier: "Step" })
)

const variableName = leaf<string>({
  expected: "the name of a variable, without ${}",
  json: Schema.String,
  parse: (input, ofVariable) => {
    const name = typeof input === "string" && !ofVariable ? input.trim() : ""
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : undefined
  }
})

/** The Schema of a config file. */
export const document: FromFile<Document> = map(
  "a map with keys such as pipeline, steps and alerter",
  Schema.Struct({
    $schema: optional(
      Schema.String.annotate({ expected: "the address of a JSON Schema, as text" }),
      "The address of the JSON Schema, for editors."
    ),
    pipeline: optional(reference, "A reference to the pipeline: ./nightly-etl.ts#pipeline."),
    public: optional(
      oneOrMore(variableName),
      "The names of variables whose values may be shown. The values of all others are kept out of all output."
    ),
    runName: optional(maybeSecret("a name, as text"), "The name of the run."),
    annotations: optional(Annotations, "Annotations of the run."),
    params: optional(Params, "Parameters by the key of the service."),
    hooks: optional(RunHooksMap, "Hooks of the run itself."),
    stepHooks: optional(HooksMap, "Hooks of every step."),
    inherit: optional(InheritModes, `How stepHooks combine with the hooks of the code: ${modes}`),
    timeout: optional(
      BodyTimeout,
      "The time limit of the run, also as a number of seconds. false removes the time limit of the code."
    ),
    defaults: optional(DefaultsMap, "The retry and the time limit of every step without its own."),
    steps: optional(
      map("a map of steps by their names", Schema.Record(Schema.String, StepMap)),
      "Settings of steps, by their names."
    ),
    // Without `suspend` the JSON Schema would list the key as required.
    alerter: optional(
      Schema.suspend((): FromFile<AlerterSpec> => AlerterSpec),
      "The alerter: where alerts go, and the policies around it."
    )
  }).check(idleModes)
)

const isDescription = (value: unknown): boolean => isMap(value) && Object.keys(value).join() === "description"

/** Moves descriptions out of `allOf` to the schema that they describe, where editors look for them. */
const withDescriptions = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withDescriptions)
  if (!isMap(value)) return value
  const parts = Array.isArray(value["allOf"]) ? value["allOf"] : []
  if (!parts.some(isDescription)) {
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, withDescriptions(v)]))
  }
  const { allOf: _, ...others } = value
  const kept = parts.filter((part) => !isDescription(part))
  const [only] = kept
  return withDescriptions({
    ...others,
    ...(kept.length === 0
      ? {}
      : kept.length === 1 && isMap(only) && Object.keys(others).length === 0
      ? only
      : { allOf: kept }),
    ...parts.find(isDescription)
  })
}

/** Returns the JSON Schema of a config file, as text before variables are expanded. */
export const jsonSchema = (): JsonSchema.JsonSchema => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(document, { onExcessProperty: "error" })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:effect-epilogue:config",
    title: "effect-epilogue",
    description: "A pipeline, its hooks, parameters and alerts.",
    ...Object(withDescriptions(schema)),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: withDescriptions(definitions) })
  }
}
