/** Compiles the settings of a file into overrides of steps and runs. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { InheritMode } from "../../../Hooks.ts"
import { watching } from "../../../internal/engine/overdue.ts"
import { retryWrap } from "../../../internal/engine/retry.ts"
import { defaultGrace, timeoutWrap } from "../../../internal/engine/timeout.ts"
import { empty, kinds, type Table } from "../../../internal/model/hooks.ts"
import { toMillis } from "../../../internal/model/overdue.ts"
import type { Wrap } from "../../../internal/model/owner.ts"
import type { HookOverrides, Modes } from "../../../internal/model/plan.ts"
import { isMistaken, makeDeadline } from "../../../internal/steps/deadline.ts"
import { policyOf } from "../schema/retry.ts"
import type { Deadline, Overdue, Retry, Timeout } from "../schema/types.ts"
import type { Fallback, FileOverrides, LateReplacement, Provided, StepOverride } from "./overrides.ts"

/** How the body of a step runs. `false` removes what the code sets, `undefined` keeps it. */
export interface BodySettings {
  readonly retry: number | Retry | false | undefined
  readonly timeout: Duration.Duration | Timeout | false | undefined
  readonly overdue: Duration.Duration | Overdue | false | undefined
  /** The errors after which a body is retried; all unless set. */
  readonly retries?: ((error: unknown) => boolean) | undefined
}

/** The settings of a file for the steps of one name. */
export interface StepSettings extends BodySettings {
  readonly hooks: Table
  readonly modes: Modes
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The settings of a project file for steps and runs that have nothing of the kind. */
export interface ProjectSettings {
  readonly run: Pick<FileSettings["run"], "timeout" | "overdue" | "deadline" | "annotations">
  readonly defaults: BodySettings
}

/** The settings of a file and of flags, with hooks loaded and parameters decoded. */
export interface FileSettings {
  readonly run: {
    readonly hooks: Table
    readonly runName: string | undefined
    readonly timeout: BodySettings["timeout"]
    readonly overdue: BodySettings["overdue"]
    readonly deadline: Deadline["at"] | Deadline | false | undefined
    readonly annotations: Readonly<Record<string, unknown>>
  }
  /** Hooks of every step. */
  readonly stepHooks: Table
  readonly modes: Modes
  readonly defaults: BodySettings
  readonly provided: Provided | undefined
  readonly steps: ReadonlyMap<string, StepSettings>
  readonly project: ProjectSettings
}

/** Returns the mode of each kind, from one mode for all kinds or from several. */
export const modesOf = (inherit: InheritMode | Modes | undefined): Modes =>
  typeof inherit === "string" ? Object.fromEntries(kinds.map((kind) => [kind, inherit])) : inherit ?? {}

const noSettings: StepSettings = {
  hooks: empty.hooks,
  modes: {},
  retry: undefined,
  timeout: undefined,
  overdue: undefined,
  provided: undefined,
  annotations: {}
}

const retryOf = (
  retry: BodySettings["retry"],
  retries: BodySettings["retries"]
): Wrap | false | undefined =>
  retry === undefined || retry === false
    ? retry
    : retryWrap(retries === undefined ? policyOf(retry) : { ...policyOf(retry), while: retries })

const timeoutOf = (timeout: BodySettings["timeout"]): Wrap | false | undefined => {
  if (timeout === undefined || timeout === false) return timeout
  const { grace, limit } = "limit" in timeout ? timeout : { limit: timeout, grace: undefined }
  return timeoutWrap({
    limit: Duration.toMillis(limit),
    grace: grace === undefined ? defaultGrace : Duration.toMillis(grace)
  })
}

const overdueOf = (overdue: BodySettings["overdue"]): LateReplacement["limit"] => {
  if (overdue === undefined || overdue === false) return overdue
  const { after, every } = "after" in overdue ? overdue : { after: overdue, every: undefined }
  return { ...toMillis({ after, every }), watching }
}

const deadlineOf = (deadline: FileSettings["run"]["deadline"]): LateReplacement["deadline"] => {
  if (deadline === undefined || deadline === false) return deadline
  const { at, every, timeZone } = typeof deadline === "string"
    ? { at: deadline, every: undefined, timeZone: undefined }
    : deadline
  const made = makeDeadline(at, { timeZone, every })
  // the schema has checked the time and the interval
  return isMistaken(made) ? undefined : made
}

const fallbackOf = (
  { overdue, retries, retry, timeout }: BodySettings,
  deadline?: FileSettings["run"]["deadline"]
): Fallback => ({
  retry: retryOf(retry, retries),
  timeout: timeoutOf(timeout),
  overdue: { limit: overdueOf(overdue), deadline: deadlineOf(deadline) },
  annotations: {}
})

/** Compiled settings. */
export interface Compiled {
  /** Returns the overrides. `services` are provided in addition to the parameters. */
  readonly overrides: (services?: Context.Context<never>) => FileOverrides
  /** The names of the steps that have been evaluated. */
  readonly ran: ReadonlySet<string>
}

const withServices = (
  services: Context.Context<never> | undefined,
  provided: Provided | undefined
): Provided | undefined =>
  services === undefined
    ? provided
    : {
      services: Context.merge(services, provided?.services ?? Context.empty()),
      hidden: provided?.hidden ?? new Map()
    }

/** Compiles the settings of a file. */
export const compile = (settings: FileSettings): Compiled => {
  const ran = new Set<string>()
  return { ran, overrides: (services) => overridesWith(settings, ran, services) }
}

const overridesWith = (
  settings: FileSettings,
  ran: Set<string>,
  services: Context.Context<never> | undefined
): FileOverrides => {
  const forAll: HookOverrides = { hooks: settings.stepHooks, modes: settings.modes, level: "pipeline" }
  const made = new Map<string, StepOverride>()
  const fallback = fallbackOf(settings.project.defaults)
  const { project: { run: ofProject } } = settings

  const make = (name: string): StepOverride => {
    const step = settings.steps.get(name) ?? noSettings
    const retry = step.retry ?? settings.defaults.retry
    const timeout = step.timeout ?? settings.defaults.timeout
    const overdue = step.overdue ?? settings.defaults.overdue
    return {
      hooks: [
        forAll,
        { hooks: step.hooks, modes: step.modes, level: "step" }
      ],
      retry: retryOf(retry, step.retries ?? settings.defaults.retries),
      timeout: timeoutOf(timeout),
      overdue: { limit: overdueOf(overdue), deadline: undefined },
      provided: step.provided === undefined ? undefined : withServices(services, step.provided),
      annotations: step.annotations,
      fallback
    }
  }

  return {
    run: {
      hooks: [{ hooks: settings.run.hooks, modes: {}, level: "step" }],
      provided: withServices(services, settings.provided),
      annotations: settings.run.annotations,
      runName: settings.run.runName,
      timeout: timeoutOf(settings.run.timeout),
      overdue: { limit: overdueOf(settings.run.overdue), deadline: deadlineOf(settings.run.deadline) },
      fallback: {
        ...fallbackOf({ ...ofProject, retry: undefined }, ofProject.deadline),
        annotations: ofProject.annotations
      }
    },
    step: (name) => {
      ran.add(name)
      const override = made.get(name) ?? make(name)
      made.set(name, override)
      return override
    }
  }
}
