/** Reads the settings of a config file: hooks, parameters, limits and retries. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import { withPublic } from "../../alerters/internal/channel/schema/leaf.ts"
import type { Kind } from "../../Hook.ts"
import { empty, HooksImpl, kinds, make as collect, mergeUnder, type Table } from "../../internal/model/hooks.ts"
import type { LoadOptions as PublicOptions } from "../Loaded.ts"
import { type BodySettings, modesOf, type ProjectSettings, type StepSettings } from "./apply/compile.ts"
import * as Params from "./apply/params.ts"
import { mistakeOf, stepNames } from "./apply/stepNames.ts"
import type { Path as Place } from "./file/positions.ts"
import type { Exported, Loading } from "./loading.ts"
import { type AnyHooks, toHook } from "./modules/hooks.ts"
import * as Sources from "./modules/modules.ts"
import type { Defaults, Document, HooksByKind, Retry, StepDocument, Text } from "./schema/types.ts"

/** A pipeline that is no export of a module, and the settings that win over the file's. */
export interface Given extends Exported {
  readonly retry: Retry | undefined
  /** The errors after which its steps are retried. */
  readonly retries: (error: unknown) => boolean
  /** Hooks of the run where those of the files have nothing to do. They are left out where there is no alerter. */
  readonly hooks: ReadonlyArray<AnyHooks>
  /** Returns how long the run and its steps may take to stop at a time limit, given what the file says of it. */
  readonly graceOf: (grace: Duration.Duration | undefined) => Duration.Duration
}

/** The settings of flags. */
export interface SettingsOptions extends Pick<PublicOptions, "params" | "runName" | "timeout"> {
  /** A pipeline in place of the one that the file names, whose parameters and module are not looked at. */
  readonly given?: Given | undefined
}

/** Returns a name as text. Names appear in logs and alerts, so a name from a variable becomes `<redacted>`. */
const plainName = (text: Text): string => String(text)

const annotationsOf = (annotations: StepDocument["annotations"] = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [name, withPublic(value)]))

/** Returns how bodies run. */
export const bodyOf = ({ overdue, retry, timeout }: Defaults, given?: Given): BodySettings => ({
  retry: given?.retry ?? retry,
  retries: given?.retries,
  timeout: within(timeout, given?.graceOf),
  overdue
})

/** Returns a time limit with another grace. */
const within = (timeout: BodySettings["timeout"], graceOf: Given["graceOf"] | undefined): BodySettings["timeout"] => {
  if (timeout === undefined || timeout === false || graceOf === undefined) return timeout
  const { grace, limit } = "limit" in timeout ? timeout : { limit: timeout, grace: undefined }
  return { limit, grace: graceOf(grace) }
}

/** Returns the settings of a project file. */
export const projectSettings = (
  { annotations, deadline, defaults = {}, overdue, timeout }: Document,
  given: Given | undefined
): ProjectSettings => ({
  run: { timeout: within(timeout, given?.graceOf), overdue, deadline, annotations: annotationsOf(annotations) },
  defaults: bodyOf(defaults, given)
})

/** Reads the settings of a file, of its steps and of the flags, and loads their hooks. */
export const settingsOf = (loading: Loading, exported: Exported, options: SettingsOptions) =>
  Effect.gen(function*() {
    const { document } = loading
    const { given } = options
    const services = Params.servicesOf(exported.module)
    const params = (own: StepDocument["params"], place: Place) =>
      // of a module that does not load it is not known which services it has
      given !== undefined || exported.isMissing === true ? Effect.undefined : Params.provide(services, [
        { values: document.params ?? {}, place: ["params"], by: "file" },
        { values: own ?? {}, place, by: "file" },
        { values: options.params ?? {}, place: ["params"], by: "flag" }
      ], loading.report)
    // as of a variable of the shell that is not set
    if (options.runName?.trim() === "") {
      loading.report(["runName"], { found: "an empty text", expected: "a name, as text" }, "flag")
    }
    const steps = new Map<string, StepSettings>()
    // a file may have steps of other commands, with names that are alike
    const known = given === undefined ? stepNames(exported.module) : new Set<string>()
    for (const [name, step] of Object.entries(document.steps ?? {})) {
      const place: Place = ["steps", name]
      const mistake = mistakeOf(name, known)
      if (mistake !== undefined) loading.report(place, mistake)
      steps.set(name, {
        ...bodyOf(step, given),
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
        timeout: within(options.timeout ?? document.timeout, given?.graceOf),
        overdue: document.overdue,
        deadline: document.deadline,
        annotations: annotationsOf(document.annotations)
      },
      stepHooks: yield* tableOf(loading, document.stepHooks, ["stepHooks"]),
      modes: modesOf(document.inherit),
      params: yield* params(undefined, ["params"]),
      steps
    }
  })

/** Loads the hooks that a part of a file names. */
export const tableOf = (
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
  { file, origins, positionOf, report, sources, standard }: Loading,
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
      const hook = Result.flatMap(loaded, (value) => toHook(standard?.inPlaceOf(value) ?? value, kind, entry))
      if (hook._tag === "Failure") {
        report(at, hook.failure)
        continue
      }
      found.push(hook.success)
      const table: Table = collect(hook.success).hooks
      for (const one of table[kind]) origins.set(one, { file, position: positionOf(at) })
    }
    return found
  })

/** Returns hooks, and those of a pipeline that is given in their place. */
export const orGiven = (own: Table, { hooks }: Given, standard: Loading["standard"]): Table =>
  // a cast as in `hooksOf`: collections of hooks have no types at run time
  mergeUnder(new HooksImpl(own), collect(...hooks.map((one) => (standard?.inPlaceOf(one) ?? one) as AnyHooks))).hooks
