/** Loads a config file and applies it to the pipeline that it names. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { hasProperty } from "effect/Predicate"
import { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import { withPublic } from "../../alerters/internal/channel/schema/leaf.ts"
import type { Kind } from "../../Hook.ts"
import * as Guard from "../../internal/model/guard.ts"
import { empty, kinds, make as collect, type Table } from "../../internal/model/hooks.ts"
import { CurrentOverrides } from "../../internal/model/overrides.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { isPipeline, isStep } from "../../internal/steps/step.ts"
import { ConfigFileError, type ConfigIssue } from "../ConfigFileError.ts"
import type { FileAlerter, Loaded, LoadOptions } from "../Loaded.ts"
import * as alerters from "./apply/alerter.ts"
import { type BodySettings, compile, modesOf, type StepSettings } from "./apply/compile.ts"
import { explain, explainRun } from "./apply/explain.ts"
import { overridesOf } from "./apply/overrides.ts"
import * as Params from "./apply/params.ts"
import { mistakeOf, stepNames } from "./apply/stepNames.ts"
import { type Decoded, read } from "./file/decode.ts"
import { byPosition, type Path as Place } from "./file/positions.ts"
import { readText } from "./file/readText.ts"
import type { Exported, Loading, Report } from "./loading.ts"
import { escaping } from "./modules/confined.ts"
import { toHook } from "./modules/hooks.ts"
import { layerSource } from "./modules/layers.ts"
import * as Sources from "./modules/modules.ts"
import type { Refusal } from "./modules/refusal.ts"
import type { AlerterSpec } from "./schema/alerter.ts"
import type { HooksByKind, StepDocument, Text } from "./schema/types.ts"

/** Loads a file. */
export const fromFile = (
  file: string,
  options: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  guarded(Effect.gen(function*() {
    const path = yield* Path.Path
    const text = yield* readText(file)
    const { decoded, issues, warnings } = yield* read(text, file)
    if (decoded === undefined) return yield* failWith(file, issues)
    return { ...yield* load(decoded, path.dirname(path.resolve(file)), options, issues), warnings }
  }))

/** Loads a pipeline by flags alone. */
export const withoutFile = (
  options: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  guarded(Effect.flatMap(
    Path.Path,
    (path) => load({ document: {}, file: commandLine, positionOf: () => undefined }, path.resolve("."), options)
  ))

/**
 * Loads with a guard: the one around, or its own. It learns the values of the file's variables, and keeps them out of
 * the file's issues and of all that is told of the pipeline.
 */
const guarded = <R>(load: Effect.Effect<Loaded, ConfigFileError, R>): Effect.Effect<Loaded, ConfigFileError, R> =>
  Effect.gen(function*() {
    const guard = (yield* CurrentGuard) ?? Guard.make()
    const loaded = yield* Effect.mapError(Guard.provide(load, guard), ({ file, issues: [first, ...others] }) => {
      const hidden = ({ expected, found, ...issue }: ConfigIssue): ConfigIssue => ({
        ...issue,
        expected: guard.text(expected),
        found: guard.text(found)
      })
      return new ConfigFileError({ file, issues: [hidden(first), ...others.map(hidden)] })
    })
    return { ...loaded, pipeline: Guard.provide(loaded.pipeline, guard) }
  })

const commandLine = "the command line"

const keyOf = ({ expected, file, found, path }: ConfigIssue): string => JSON.stringify([file, path, expected, found])

/**
 * Returns a function that says whether an issue may be the consequence of a known one, whose part of the file was left
 * out: parameters lack the invalid field, or the pipeline is missing. Looks at the known issues once, since there may be
 * as many of them as values in the file.
 */
const consequencesOf = (known: ReadonlyArray<ConfigIssue>): (issue: ConfigIssue) => boolean => {
  const isPipelineKnown = known.some(({ path }) => path[0] === "pipeline")
  const areParamsKnown = known.some(({ path }) => path.includes("params"))
  return ({ path }) =>
    path.length === 0 || path[0] === "pipeline" ? isPipelineKnown : areParamsKnown && path.includes("params")
}

const failWith = (file: string, issues: ReadonlyArray<ConfigIssue>) => {
  const [first = { path: [], file, position: undefined, found: "nothing", expected: "a document" }, ...others] = issues
  return Effect.fail(new ConfigFileError({ file, issues: [first, ...others] }))
}

const load = (
  { document, file, positionOf }: Decoded,
  folder: string,
  options: LoadOptions,
  /**
   * Issues with parts of the file that were left out. The rest is checked too, so that all issues are reported at once.
   */
  known: ReadonlyArray<ConfigIssue> = []
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const issues: Array<ConfigIssue> = [...known]
    const reported = new Set(known.map(keyOf))
    const isConsequence = consequencesOf(known)
    const report: Report = (path, problem, by = "file") => {
      const issue: ConfigIssue = by === "file"
        ? { path, file, position: positionOf(path), ...problem }
        : { path, file: commandLine, position: undefined, ...problem }
      // The parameters of the run are decoded again for each step with its own, which finds the same issues.
      const key = keyOf(issue)
      if (reported.has(key) || isConsequence(issue)) return
      reported.add(key)
      issues.push(issue)
    }
    const sources = {
      folder,
      root: options.root ?? folder,
      allowOutside: options.allowOutside ?? false
    }
    const loading: Loading = { file, document, sources, report, origins: new Map(), positionOf }

    const exported = yield* pipelineOf(loading, options)
    const { modes, params, run, stepHooks, steps } = yield* settingsOf(loading, exported, options)
    if (isStep(exported.pipeline)) reportRunSettings(loading, options)
    const ofFile = yield* alerterOf(loading)
    const guard = yield* CurrentGuard
    const guardedAlerter = ofFile === undefined || guard === undefined ? ofFile : withGuard(ofFile, guard)
    const alerter = guardedAlerter === undefined ? undefined : (options.alerter ?? identity)(guardedAlerter)
    if (issues.length > 0) return yield* failWith(file, issues.toSorted(byPosition))

    const settings = { run, stepHooks, modes, defaults: bodyOf(document.defaults ?? {}), provided: params, steps }
    const { overrides, ran } = compile(settings)
    const withOverrides = (services?: Context.Context<never>) =>
      Effect.provideService(exported.pipeline, CurrentOverrides, overridesOf(overrides(services)))
    return {
      pipelineName: exported.name,
      pipeline: alerter === undefined
        ? withOverrides()
        // Overrides provide the alerter to each step, so that it wins over one that the code provides.
        : Effect.provide(Effect.flatMap(Alerter, (one) => withOverrides(Context.make(Alerter, one))), alerter),
      alerter,
      timeout: explainRun(settings, exported),
      steps: explain({ ...settings, file, origins: loading.origins, positionOf }, exported),
      warnings: [],
      unusedSteps: Effect.sync(() => [...steps.keys()].filter((name) => !ran.has(name)))
    }
  })

// -----------------------------------------------------------------------------
// pipeline
// -----------------------------------------------------------------------------

const nothing: Exported = { name: "", pipeline: Effect.void, module: {} }

const pipelineOf = (
  { document, report, sources }: Loading,
  options: LoadOptions
): Effect.Effect<Exported, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const reference = options.pipeline ?? document.pipeline
    if (reference === undefined) {
      report([], { found: "no pipeline", expected: "pipeline: ./path.ts#export, here or on the command line" })
      return nothing
    }
    const refuse = (problem: Refusal) => report(["pipeline"], problem, options.pipeline === undefined ? "file" : "flag")
    // A flag may name any module: its author could as well run the module directly.
    const trusted = options.pipeline === undefined ? sources : { ...sources, allowOutside: true }
    const source = yield* Effect.result(Sources.resolve(reference, trusted))
    if (source._tag === "Failure") return refuse(source.failure), nothing
    const [value, module] = yield* Effect.all([
      Effect.result(Sources.load(source.success)),
      Effect.result(Sources.module(source.success))
    ])
    if (value._tag === "Failure") return refuse(value.failure), nothing
    if (!Effect.isEffect(value.success)) {
      refuse({
        found: `${source.success.shown}, which is a ${
          isDurable(value.success) ? "durable pipeline" : typeof value.success
        }`,
        expected: isDurable(value.success) ? "a Pipeline (or run it with --durable)" : "a Pipeline"
      })
      return nothing
    }
    return {
      // a cast, since the exports of a module have no types at run time
      pipeline: value.success as Effect.Effect<unknown, unknown>,
      name: isPipeline(value.success) || isStep(value.success)
        ? (value.success as unknown as { readonly name: string }).name
        : source.success.name,
      module: module._tag === "Success" ? module.success : {}
    }
  })

/** Returns whether a value is a pipeline of `Durable.pipeline`. */
const isDurable = (u: unknown): boolean => hasProperty(u, "workflow") && hasProperty(u, "layer")

/** Reports settings of a run if the pipeline is a single step, for which they have no effect. */
const reportRunSettings = ({ document, report }: Loading, options: LoadOptions): void => {
  const problem: Refusal = { found: "a Step as the pipeline", expected: "a Pipeline, without which it has no effect" }
  for (const key of ["runName", "timeout", "hooks", "annotations"] as const) {
    if (document[key] !== undefined) report([key], problem)
  }
  if (options.runName !== undefined) report(["runName"], problem, "flag")
  if (options.timeout !== undefined) report(["timeout"], problem, "flag")
}

// -----------------------------------------------------------------------------
// settings
// -----------------------------------------------------------------------------

/** Returns a name as text. Names appear in logs and alerts, so a name from a variable becomes `<redacted>`. */
const plainName = (text: Text): string => String(text)

const annotationsOf = (annotations: StepDocument["annotations"] = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [name, withPublic(value)]))

const bodyOf = ({ retry, timeout }: Pick<StepDocument, "retry" | "timeout">): BodySettings => ({ retry, timeout })

const settingsOf = (loading: Loading, exported: Exported, options: LoadOptions) =>
  Effect.gen(function*() {
    const { document } = loading
    const services = Params.servicesOf(exported.module)
    const params = (own: StepDocument["params"], place: Place) =>
      Params.provide(services, [
        { values: document.params ?? {}, place: ["params"], by: "file" },
        { values: own ?? {}, place, by: "file" },
        { values: options.params ?? {}, place: ["params"], by: "flag" }
      ], loading.report)
    const steps = new Map<string, StepSettings>()
    const known = stepNames(exported.module)
    for (const [name, step] of Object.entries(document.steps ?? {})) {
      const place: Place = ["steps", name]
      const mistake = mistakeOf(name, known)
      if (mistake !== undefined) loading.report(place, mistake)
      steps.set(name, {
        ...bodyOf(step),
        hooks: yield* tableOf(loading, step.hooks, [...place, "hooks"]),
        modes: modesOf(step.inherit),
        provided: step.params === undefined ? undefined : yield* params(step.params, [...place, "params"]),
        annotations: annotationsOf(step.annotations)
      })
    }
    return {
      run: {
        hooks: yield* tableOf(loading, document.hooks, ["hooks"]),
        runName: options.runName ?? (document.runName === undefined ? undefined : plainName(document.runName)),
        timeout: options.timeout ?? document.timeout,
        annotations: annotationsOf(document.annotations)
      },
      stepHooks: yield* tableOf(loading, document.stepHooks, ["stepHooks"]),
      modes: modesOf(document.inherit),
      params: yield* params(undefined, ["params"]),
      steps
    }
  })

const tableOf = (
  loading: Loading,
  hooks: HooksByKind | undefined,
  place: Place
): Effect.Effect<Table, never, FileSystem.FileSystem | Path.Path> =>
  Effect.map(
    Effect.forEach(kinds.filter((kind) => hooks?.[kind] !== undefined), (kind) =>
      hooksOf(loading, kind, hooks?.[kind] ?? [], [...place, kind])),
    (lists) =>
      lists.length === 0 ? empty.hooks : collect(...lists.flat()).hooks
  )

const hooksOf = (
  { origins, positionOf, report, sources }: Loading,
  kind: Kind,
  list: NonNullable<HooksByKind[Kind]>,
  place: Place
) =>
  Effect.gen(function*() {
    const isList = Array.isArray(list)
    // a cast, since `Array.isArray` does not narrow a `ReadonlyArray`
    const entries = (isList ? list : [list]) as ReadonlyArray<Exclude<typeof list, ReadonlyArray<unknown>>>
    const found: Array<unknown> = []
    for (const [index, item] of entries.entries()) {
      const at = isList ? [...place, index] : place
      const entry = typeof item === "string" ? { use: item } : item
      const loaded = yield* Effect.result(Effect.flatMap(Sources.resolve(entry.use, sources), Sources.load))
      const hook = loaded._tag === "Success" ? toHook(loaded.success, kind, entry) : loaded
      if (hook._tag === "Failure") {
        report(at, hook.failure)
        continue
      }
      found.push(hook.success)
      const table: Table = collect(hook.success).hooks
      for (const one of table[kind]) origins.set(one, positionOf(at))
    }
    return found
  })

// -----------------------------------------------------------------------------
// alerter
// -----------------------------------------------------------------------------

/** Removes secrets before any policy stores an alert. */
const withGuard = (alerter: FileAlerter, guard: Guard.Guard): FileAlerter =>
  Layer.effect(
    Alerter,
    Effect.map(Alerter, (inner) => Alerter.of({ post: (alert) => inner.post(guard.alert(Alert.make(alert))) }))
  ).pipe(Layer.provide(alerter), Layer.provide(Layer.succeed(CurrentGuard, guard)))

const alerterOf = ({ document, file, report, sources }: Loading) =>
  Effect.gen(function*() {
    if (document.alerter === undefined) return undefined
    const name = (yield* Path.Path).basename(file)
    // a cast, since the public type is wider than the Schema that has decoded the value
    const spec = document.alerter as AlerterSpec
    for (const { path, problem } of yield* escaping(spec, sources)) report(["alerter", ...path], problem)
    const built = yield* Effect.result(
      alerters.build(spec, { folder: sources.folder, name, loadLayer: layerSource(sources) })
    )
    if (built._tag === "Success") return built.success
    for (const { path, problem } of built.failure) report(["alerter", ...path], problem)
    return undefined
  })
