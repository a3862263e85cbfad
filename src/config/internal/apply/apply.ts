/** What a file says, as changes of steps and runs. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { InheritMode } from "../../../Hooks.ts"
import { retryWrap } from "../../../internal/engine/retry.ts"
import { timeoutWrap } from "../../../internal/engine/timeout.ts"
import { empty, kinds, type Table } from "../../../internal/model/hooks.ts"
import type { HookOverrides, Modes } from "../../../internal/model/plan.ts"
import type { Retry } from "../../Document.ts"
import { policyOf } from "../schema/retry.ts"
import type { Changes, Provided, StepOverride } from "./changes.ts"

/** The values of a step, `false` for what the code says and the file takes away. */
export interface BodySettings {
  readonly retry: number | Retry | false | undefined
  readonly timeout: Duration.Duration | false | undefined
}

/** @internal */
export interface StepSettings extends BodySettings {
  readonly hooks: Table
  readonly modes: Modes
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

/** @internal */
export interface Settings {
  readonly run: {
    readonly hooks: Table
    readonly runName: string | undefined
    readonly annotations: Readonly<Record<string, unknown>>
  }
  /** For every step. */
  readonly stepHooks: Table
  readonly modes: Modes
  readonly defaults: BodySettings
  readonly provided: Provided | undefined
  readonly steps: ReadonlyMap<string, StepSettings>
}

/** One mode for all kinds, or one for each of some. */
export const modesOf = (inherit: InheritMode | Modes | undefined): Modes =>
  typeof inherit === "string" ? Object.fromEntries(kinds.map((kind) => [kind, inherit])) : inherit ?? {}

const unchanged: StepSettings = {
  hooks: empty.hooks,
  modes: {},
  retry: undefined,
  timeout: undefined,
  provided: undefined,
  annotations: {}
}

/** @internal */
export interface Compiled {
  /** What is to be changed, with services to provide beside the parameters. */
  readonly changes: (services?: Context.Context<never>) => Changes
  /** The names of the steps that were asked for. */
  readonly ran: ReadonlySet<string>
}

const beside = (services: Context.Context<never> | undefined, provided: Provided | undefined): Provided | undefined =>
  services === undefined
    ? provided
    : {
      services: Context.merge(services, provided?.services ?? Context.empty()),
      hidden: provided?.hidden ?? new Map()
    }

/** @internal */
export const compile = (settings: Settings): Compiled => {
  const ran = new Set<string>()
  return { ran, changes: (services) => changesOf(settings, ran, services) }
}

const changesOf = (settings: Settings, ran: Set<string>, services: Context.Context<never> | undefined): Changes => {
  const forAll: HookOverrides = { hooks: settings.stepHooks, modes: settings.modes, level: "pipeline" }
  const made = new Map<string, StepOverride>()

  const make = (name: string): StepOverride => {
    const step = settings.steps.get(name) ?? unchanged
    const retry = step.retry ?? settings.defaults.retry
    const timeout = step.timeout ?? settings.defaults.timeout
    return {
      hooks: [forAll, { hooks: step.hooks, modes: step.modes, level: "step" }],
      retry: retry === undefined || retry === false ? retry : retryWrap(policyOf(retry)),
      timeout: timeout === undefined || timeout === false
        ? timeout
        : timeoutWrap(name, Duration.toMillis(timeout)),
      provided: step.provided === undefined ? undefined : beside(services, step.provided),
      annotations: step.annotations
    }
  }

  return {
    run: {
      hooks: [{ hooks: settings.run.hooks, modes: {}, level: "step" }],
      provided: beside(services, settings.provided),
      annotations: settings.run.annotations,
      runName: settings.run.runName
    },
    step: (name) => {
      ran.add(name)
      const override = made.get(name) ?? make(name)
      made.set(name, override)
      return override
    }
  }
}
