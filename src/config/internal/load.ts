/** Loads a config file and applies it to the pipeline that it names. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { hasProperty } from "effect/Predicate"
import * as Result from "effect/Result"
import { Alerter } from "../../Alerter.ts"
import * as Guard from "../../internal/model/guard.ts"
import { empty, HooksImpl, make as collect, type Table } from "../../internal/model/hooks.ts"
import { CurrentOverrides } from "../../internal/model/overrides.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { withDefaults } from "../../internal/steps/defaults.ts"
import { isPipeline, isStep } from "../../internal/steps/step.ts"
import { noEffect } from "../../internal/text/noEffect.ts"
import * as Monitor from "../../monitors/internal/monitor.ts"
import { layerAll } from "../../monitors/layerAll.ts"
import * as StepLogs from "../../StepLogs.ts"
import type { ConfigFileError, ConfigIssue } from "../ConfigFileError.ts"
import type { Loaded, LoadOptions as PublicOptions } from "../Loaded.ts"
import { compile } from "./apply/compile.ts"
import { explain } from "./apply/explain.ts"
import * as Monitors from "./apply/monitors.ts"
import { outside, Runs } from "./apply/outside.ts"
import { overridesOf } from "./apply/overrides.ts"
import { sameNames } from "./apply/sameNames.ts"
import { standardHooks } from "./apply/templates.ts"
import { type Decoded, read } from "./file/decode.ts"
import { errorOf } from "./file/errorOf.ts"
import { byPosition } from "./file/positions.ts"
import { readText } from "./file/readText.ts"
import { fileAlerter } from "./fileAlerter.ts"
import { collector, commandLine } from "./issues.ts"
import type { Exported, Loading } from "./loading.ts"
import * as Sources from "./modules/modules.ts"
import type { Refusal } from "./modules/refusal.ts"
import { explainProject, mergedAlerts, type Project, readProject } from "./project/project.ts"
import type { AlerterSpec } from "./schema/alerter.ts"
import type { Document } from "./schema/types.ts"
import { bodyOf, orGiven, projectSettings, settingsOf, type SettingsOptions, tableOf } from "./settings.ts"

/** The options of loading. The command has more of them than others. */
export interface LoadOptions extends PublicOptions, Pick<SettingsOptions, "given"> {
  /** Whether to build the parts of the file's alerter, and report what can't be built. */
  readonly buildAlerter?: boolean | undefined
  /** An alerter in place of the file's. */
  readonly alerterSpec?: AlerterSpec | undefined
  /** Whether the caller tells the file's monitors of the runs. */
  readonly tellsMonitors?: boolean | undefined
  /** Reads the text of the file. */
  readonly text?: Effect.Effect<string, ConfigFileError, FileSystem.FileSystem> | undefined
  /** Whether a file may name no pipeline, and have none on the command line, as one for `epilogue exec` or a project. */
  readonly withoutPipeline?: boolean | undefined
  /** Called with the name of the pipeline, once it is known. Loading may still fail then. */
  readonly onName?: ((name: string) => void) | undefined
}

/** A loaded pipeline, with the parts that only the command needs. */
export interface LoadedFile extends Loaded {
  /** Whether there is no pipeline, which {@link LoadOptions.withoutPipeline} has allowed. */
  readonly isMissing: boolean
  /** Whether the pipeline has a name of its own. Else `pipelineName` is that of an export, an Effect around pipelines. */
  readonly isNamed: boolean
  /** Whether it has failed outside of any run, and the file has no hook for that. */
  readonly untold: () => boolean
  /** Whether the file has hooks. */
  readonly hasHooks: boolean
}

/** Loads a file. */
export const fromFile = (
  file: string,
  options: LoadOptions
): Effect.Effect<LoadedFile, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  guarded(Effect.gen(function*() {
    const path = yield* Path.Path
    const text = yield* options.text ?? readText(file)
    const { decoded, issues, warnings } = yield* read(text, file)
    const folder = path.dirname(path.resolve(file))
    const project = yield* readProject(folder, file, options)
    if (decoded === undefined) return yield* failWith(file, [...issues, ...project?.issues ?? []])
    const loaded = yield* load(decoded, folder, options, project, issues)
    return { ...loaded, warnings: [...warnings, ...loaded.warnings, ...project?.warnings ?? []] }
  }))

/** Loads a pipeline by flags alone. */
export const withoutFile = (
  options: LoadOptions
): Effect.Effect<LoadedFile, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  guarded(Effect.gen(function*() {
    const folder = (yield* Path.Path).resolve(".")
    const project = yield* readProject(folder, undefined, options)
    const empty = { document: {}, file: commandLine, positionOf: () => undefined }
    const loaded = yield* load(empty, folder, options, project)
    return { ...loaded, warnings: [...loaded.warnings, ...project?.warnings ?? []] }
  }))

/**
 * Loads with a guard: the one around, or its own. It learns the values of the file's variables, and keeps them out of
 * the file's issues and of all that is told of the pipeline.
 */
const guarded = <R>(
  load: Effect.Effect<LoadedFile, ConfigFileError, R>
): Effect.Effect<LoadedFile, ConfigFileError, R> =>
  Effect.gen(function*() {
    const guard = (yield* CurrentGuard) ?? Guard.make()
    const loaded = yield* Effect.mapError(Guard.provide(load, guard), ({ file, issues }) => {
      const hidden = ({ expected, found, ...issue }: ConfigIssue): ConfigIssue => ({
        ...issue,
        expected: guard.text(expected),
        found: guard.text(found)
      })
      return errorOf(file, issues.map(hidden))
    })
    return { ...loaded, pipeline: Guard.provide(loaded.pipeline, guard) }
  })

const failWith = (file: string, issues: ReadonlyArray<ConfigIssue>) => Effect.fail(errorOf(file, issues))

const load = (
  { asWritten, document: given, file, positionOf }: Decoded,
  folder: string,
  options: LoadOptions,
  project: Project | undefined,
  /**
   * Issues with parts of the file that were left out. The rest is checked too, so that all issues are reported at once.
   */
  known: ReadonlyArray<ConfigIssue> = []
): Effect.Effect<LoadedFile, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const document = options.alerterSpec === undefined ? given : { ...given, alerter: options.alerterSpec }
    const own = collector({ file, positionOf, asWritten }, known)
    const { report } = own
    const ofProject = project && collector(project, project.issues)
    const sources = {
      folder,
      root: options.root ?? folder,
      allowOutside: options.allowOutside ?? false
    }
    const alerts = mergedAlerts(document.alerts, project?.document.alerts)
    const standard = alerts === undefined ? undefined : standardHooks(alerts)
    const loading: Loading = { file, document, sources, report, origins: new Map(), positionOf, standard }
    const inProject = project && ofProject && { ...loading, ...project, report: ofProject.report }

    const exported = yield* pipelineOf(loading, options)
    if (isPipeline(exported.pipeline)) options.onName?.(exported.name)
    const { modes, params, run, stepHooks, steps } = yield* settingsOf(loading, exported, options)
    if (isStep(exported.pipeline)) reportRunSettings(loading, options)
    const runs = inProject === undefined ? noHooks : yield* tableOf(inProject, inProject.document.hooks, ["hooks"])
    const hasAlerter = (document.alerter ?? inProject?.document.alerter) !== undefined
    const defaults = {
      runs: hasAlerter && options.given !== undefined ? orGiven(runs, options.given, standard) : runs,
      steps: inProject === undefined ? noHooks : yield* tableOf(inProject, inProject.document.stepHooks, ["stepHooks"])
    }
    if (
      document.alerts !== undefined && standard?.used() === false && !known.some(({ path }) => path.includes("hooks"))
    ) {
      report(["alerts"], {
        found: "no standard hook",
        expected: "a hook such as epilogue#alerterFailure, without which it has no effect"
      })
    }
    const { language = project?.document.language, logs = project?.document.logs } = document
    const isOwnAlerter = document.alerter !== undefined || inProject === undefined
    const ofFile = yield* alerterOf(isOwnAlerter ? loading : inProject, language, options.buildAlerter === true)
    if (document.language !== undefined && (isOwnAlerter ? document : inProject.document).alerter === undefined) {
      report(["language"], {
        found: JSON.stringify(document.language),
        expected: "alerter beside it, without which it has no effect"
      })
    }
    const alerter = ofFile === undefined ? undefined : (options.alerter ?? identity)(ofFile)
    const monitors = yield* monitorsOf(loading)
    const issues = [own, ...ofProject === undefined ? [] : [ofProject]].flatMap(({ issues }) =>
      issues.toSorted(byPosition)
    )
    if (issues.length > 0) return yield* failWith(file, issues)

    const settings = {
      run,
      stepHooks,
      modes,
      defaults: bodyOf(document.defaults ?? {}, options.given),
      provided: params,
      steps,
      project: projectSettings(project?.document ?? {}, options.given)
    }
    const { overrides, ran } = compile(settings)
    const isOwner = isPipeline(exported.pipeline) || isStep(exported.pipeline)
    let untold = () => false
    const withOverrides = (services?: Context.Context<never>) => {
      const { run: ofRun, step } = overrides(services)
      const runs = new Runs()
      const all = overridesOf({ run: isOwner ? ofRun : { ...ofRun, ended: runs.ended }, step })
      const { name, pipeline: effect } = exported
      if (isOwner) return withDefaults(Effect.provideService(effect, CurrentOverrides, all), defaults)
      const hooks = collect(new HooksImpl(run.hooks), new HooksImpl(defaults.runs)).hooks
      const around = outside({ name, effect, hooks, overrides: all, runs })
      untold = around.untold
      return withDefaults(around.effect, defaults)
    }
    return {
      pipelineName: exported.name,
      isMissing: exported === nothing,
      isNamed: isOwner,
      untold: () => untold(),
      hasHooks: loading.origins.size > 0,
      pipeline: Effect.provide(
        alerter === undefined
          ? Effect.suspend(() => withOverrides())
          // Overrides provide the alerter to each step, so that it wins over one that the code provides. The code's wins
          // over that of a project.
          : Effect.provide(
            Effect.flatMap(Alerter, (one) => withOverrides(isOwnAlerter ? Context.make(Alerter, one) : undefined)),
            alerter
          ),
        options.tellsMonitors === true ? Layer.empty : layersOf(monitors)
      ).pipe(Effect.provide(logsOf(logs))),
      alerter,
      monitors: Monitors.explain(monitors, { file, positionOf }),
      language,
      logs,
      record: document.record ?? project?.document.record,
      project: project && explainProject(project, document),
      ...explain({ ...settings, origins: loading.origins, stepDefaults: defaults.steps }, exported),
      warnings: sameNames(exported).map((problem) => ({
        ...problem,
        path: document.pipeline === undefined ? [] : ["pipeline"],
        file,
        position: positionOf(["pipeline"])
      })),
      unusedSteps: Effect.sync(() => [...steps.keys()].filter((name) => !ran.has(name)))
    }
  })

const noHooks: Table = empty.hooks

/** Provides the log of steps where the file has a setting for it. */
const logsOf = (logs: Document["logs"]): Layer.Layer<never> =>
  logs === undefined ? Layer.empty : logs === false ? StepLogs.layerOff : StepLogs.layer({ lines: logs })

// -----------------------------------------------------------------------------
// pipeline
// -----------------------------------------------------------------------------

const nothing: Exported = { name: "", pipeline: Effect.void, module: {}, isMissing: true }

const pipelineOf = (
  { document, report, sources }: Loading,
  options: LoadOptions
): Effect.Effect<Exported, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    if (options.given !== undefined) return options.given
    const reference = options.pipeline ?? document.pipeline
    if (reference === undefined) {
      // parameters are those of a pipeline, which has been forgotten then
      if (options.withoutPipeline === true && document.params === undefined) return nothing
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
        found: `${source.success.shown}: ${isDurable(value.success) ? "a durable pipeline" : kindOf(value.success)}`,
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

const kindOf = (value: unknown): string => Array.isArray(value) ? "an array, and no Effect" : noEffect(value)

/** Returns whether a value is a pipeline of `Durable.pipeline`. */
const isDurable = (u: unknown): boolean => hasProperty(u, "workflow") && hasProperty(u, "layer")

/** Reports settings of a run if the pipeline is a single step, for which they have no effect. */
const reportRunSettings = ({ document, report }: Loading, options: LoadOptions): void => {
  const problem: Refusal = { found: "a Step as the pipeline", expected: "a Pipeline, without which it has no effect" }
  for (const key of ["runName", "timeout", "overdue", "deadline", "hooks", "annotations"] as const) {
    if (document[key] !== undefined) report([key], problem)
  }
  if (options.runName !== undefined) report(["runName"], problem, "flag")
  if (options.timeout !== undefined) report(["timeout"], problem, "flag")
}

// -----------------------------------------------------------------------------
// alerter
// -----------------------------------------------------------------------------

const alerterOf = (
  { document: { alerter }, file, report, sources }: Loading,
  language: Document["language"],
  tries: boolean
) =>
  Effect.map(Effect.result(fileAlerter({ document: { alerter, language }, file }, sources, { tries })), (loaded) => {
    if (loaded._tag === "Success") return loaded.success
    for (const { path, problem } of loaded.failure) report(path, problem)
    return undefined
  })

// -----------------------------------------------------------------------------
// monitors
// -----------------------------------------------------------------------------

const monitorsOf = ({ document, report }: Loading) =>
  Effect.map(Effect.result(Monitors.build(document)), (built) => {
    if (built._tag === "Success") return built.success
    for (const { path, problem } of built.failure) report(path, problem)
    return []
  })

const layersOf = (monitors: ReadonlyArray<Monitors.FileMonitor>) =>
  layerAll(...monitors.map(({ monitor }) => Monitor.layer(Result.succeed(monitor))))
