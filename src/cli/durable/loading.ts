/** Loads durable pipelines, their services and payloads. */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { Path } from "effect/Path"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Any, Result } from "effect/workflow/Workflow"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { ConfigFile } from "../../config/index.ts"
import { errorOf } from "../../config/internal/file/errorOf.ts"
import * as Sources from "../../config/internal/modules/modules.ts"
import type { Refusal } from "../../config/internal/modules/refusal.ts"
import { listed } from "../../internal/text/closest.ts"
import type { DurableModule } from "../request.ts"

/**
 * A workflow of a module, whose types are not known. The `never`s are assumptions: a service that a schema needs may be
 * missing, which is a defect then.
 */
export interface Workflow {
  readonly payloadSchema: Schema.Codec<object, unknown>
  readonly successSchema: Schema.Codec<unknown, unknown>
  readonly executionId: (payload: object) => Effect.Effect<string>
  readonly execute: (
    payload: object,
    options: { readonly discard: true }
  ) => Effect.Effect<string, never, WorkflowEngine>
  readonly poll: (executionId: string) => Effect.Effect<Option.Option<Result<unknown, unknown>>, never, WorkflowEngine>
  readonly interrupt: (executionId: string) => Effect.Effect<void, never, WorkflowEngine>
}

/** A pipeline made by `Durable.pipeline`, whose types are not known. A service that its layer needs may be missing. */
export interface Pipeline {
  readonly name: string
  readonly workflow: Workflow & Any
  readonly layer: Layer.Layer<never, never, WorkflowEngine>
}

/** The user's services for pipelines. Services that the layer itself needs may be missing. */
export type Services = Layer.Layer<never, unknown>

/** Durable pipelines and the services for them. */
export interface Loaded {
  readonly pipelines: ReadonlyArray<Pipeline>
  readonly services: Services
}

type Loading<A> = Effect.Effect<A, ConfigFile.ConfigFileError, FileSystem | Path>

const commandLine = "the command line"

/** Makes an error of problems on the command line, each with its path there. */
const wrong = (
  problems: ReadonlyArray<Refusal>,
  path: (index: number) => ConfigFile.ConfigIssue["path"]
): ConfigFile.ConfigFileError =>
  errorOf(
    commandLine,
    problems.map((problem, index) => ({ path: path(index), file: commandLine, position: undefined, ...problem }))
  )

// -----------------------------------------------------------------------------
// pipelines
// -----------------------------------------------------------------------------

const isPipeline = (value: unknown): value is Pipeline =>
  hasProperty(value, "name") && typeof value.name === "string" && hasProperty(value, "workflow") &&
  typeof value.workflow === "function" && hasProperty(value.workflow, "payloadSchema") &&
  hasProperty(value, "layer") && Layer.isLayer(value.layer)

/** Returns the entries of an array or a plain object that is not a pipeline itself, else `undefined`. */
const partsOf = (value: unknown): ReadonlyArray<readonly [name: string, part: unknown]> | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  const plain = Array.isArray(value) || prototype === Object.prototype || prototype === null
  return plain && !isPipeline(value) ? Object.entries(value) : undefined
}

const durable = "a durable pipeline, made by Durable.pipeline"

/** Returns a pipeline, or all pipelines of an array or a record. Fails where there is something else. */
const pipelinesOf = (shown: string, value: unknown): Effect.Effect<ReadonlyArray<Pipeline>, Refusal> => {
  if (isPipeline(value)) return Effect.succeed([value])
  const parts = partsOf(value)
  const expected = `${durable}, or an array or a record of them`
  if (parts === undefined) return Effect.fail({ found: `${shown}, which is ${kindOf(value)}`, expected })
  const other = parts.find(([, part]) => !isPipeline(part))
  if (other !== undefined) {
    return Effect.fail({ found: `${shown}, of which ${JSON.stringify(other[0])} is ${kindOf(other[1])}`, expected })
  }
  return parts.length === 0
    ? Effect.fail({ found: `${shown}, which is empty`, expected })
    : Effect.succeed(parts.flatMap(([, part]) => isPipeline(part) ? [part] : []))
}

const kindOf = (value: unknown): string => {
  if (Effect.isEffect(value)) return "an Effect that is not durable"
  return value === null ? "null" : `a value of type ${typeof value}`
}

/** Returns all pipelines that a module exports, alone or in arrays and records of nothing else. */
const exported = (
  shown: string,
  module: Readonly<Record<string, unknown>>
): Effect.Effect<ReadonlyArray<Pipeline>, Refusal> => {
  const pipelines = Object.values(module).flatMap((value) => {
    if (isPipeline(value)) return [value]
    const parts = partsOf(value)?.map(([, part]) => part) ?? []
    return parts.every(isPipeline) ? parts : []
  })
  return pipelines.length === 0
    ? Effect.fail({
      found: `none among what ${shown} exports: ${listed(Object.keys(module).toSorted()) || "nothing"}`,
      expected: "durable pipelines, made by Durable.pipeline"
    })
    : Effect.succeed(pipelines)
}

const sourceOf = (reference: string) => Sources.resolve(reference, { folder: ".", root: ".", allowOutside: true })

/** Drops repeated pipelines, since a module may export one twice. Fails where two pipelines have one name. */
const unique = (pipelines: ReadonlyArray<Pipeline>): Effect.Effect<ReadonlyArray<Pipeline>, Refusal> => {
  const byName = new Map<string, Pipeline>()
  for (const pipeline of pipelines) {
    const known = byName.get(pipeline.name)
    if (known !== undefined && known !== pipeline) {
      return Effect.fail({
        found: `two pipelines named ${JSON.stringify(pipeline.name)}`,
        expected: "pipelines with different names"
      })
    }
    byName.set(pipeline.name, pipeline)
  }
  return Effect.succeed([...byName.values()])
}

// -----------------------------------------------------------------------------
// services
// -----------------------------------------------------------------------------

const servicesOf = (
  { layer }: DurableModule,
  module: Readonly<Record<string, unknown>>
): Loading<Services> => {
  if (layer === undefined) return Effect.succeed(isServices(module["layer"]) ? module["layer"] : Layer.empty)
  return Effect.gen(function*() {
    const source = yield* sourceOf(layer)
    const value = yield* Sources.load(source)
    if (isServices(value)) return value
    return yield* Effect.fail({ found: `${source.shown}, which is ${kindOf(value)}`, expected: "a Layer" })
  }).pipe(Effect.mapError((problem) => wrong([problem], () => ["layer"])))
}

/** Checks only that the value is a Layer: its types are not known at run time. */
const isServices = (value: unknown): value is Services => Layer.isLayer(value)

/** Loads the pipelines that a reference names, or all of its module, and the services for them. */
export const load = (request: DurableModule): Loading<Loaded> =>
  Effect.gen(function*() {
    const { reference } = request
    const [pipelines, module] = yield* Effect.gen(function*() {
      const source = yield* sourceOf(reference)
      const module = yield* Sources.module(source)
      const found = reference.includes("#")
        ? yield* Effect.flatMap(Sources.load(source), (value) => pipelinesOf(source.shown, value))
        : yield* exported(source.shown, module)
      return [yield* unique(found), module] as const
    }).pipe(Effect.mapError((problem) => wrong([problem], () => ["pipelines"])))
    return { pipelines, services: yield* servicesOf(request, module) }
  })

/** Loads the one pipeline that a reference names, and the services for it. */
export const loadOne = (
  request: DurableModule
): Loading<{ readonly pipeline: Pipeline; readonly services: Services }> =>
  Effect.gen(function*() {
    const [pipeline, module] = yield* Effect.gen(function*() {
      const source = yield* sourceOf(request.reference)
      const value = yield* Sources.load(source)
      if (isPipeline(value)) return [value, yield* Sources.module(source)] as const
      return yield* Effect.fail({ found: `${source.shown}, which is ${kindOf(value)}`, expected: durable })
    }).pipe(Effect.mapError((problem) => wrong([problem], () => ["pipeline"])))
    return { pipeline, services: yield* servicesOf(request, module) }
  })

// -----------------------------------------------------------------------------
// payloads
// -----------------------------------------------------------------------------

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Decodes the text of `--payload`, or `{}`, by the pipeline's schema. Errors do not show its values, which may be
 * secret.
 */
export const payloadOf = (
  { workflow }: Pipeline,
  text: string | undefined
): Effect.Effect<object, ConfigFile.ConfigFileError> =>
  Effect.gen(function*() {
    const input = yield* Effect.try({
      try: (): unknown => JSON.parse(text ?? "{}"),
      catch: () => wrong([{ found: "a text that is not JSON", expected: "JSON" }], () => ["payload"])
    })
    const schema = Schema.toCodecJson(workflow.payloadSchema)
    return yield* Effect.mapError(
      Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(input),
      ({ issue }) => {
        const issues = formatIssue(issue).issues
        const problems = issues.map(({ message }): Refusal => {
          if (/^missing key/i.test(message)) {
            return { found: text === undefined ? "no --payload" : "nothing", expected: "a value" }
          }
          return /excess property/i.test(message)
            ? { found: "a field that the payload does not have", expected: "one of its fields" }
            : { found: "a value that does not fit", expected: message.replace(/^Expected /, "") }
        })
        return wrong(problems, (index) => [
          "payload",
          ...(issues[index]?.path ?? []).map((segment) => {
            const key = typeof segment === "object" ? segment.key : segment
            return typeof key === "number" ? key : String(key)
          })
        ])
      }
    )
  })
