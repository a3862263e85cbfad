/** Tells of a worker, or a durable run, that could not begin, or that ends outside of its runs. */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import { identity } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import type { Scope } from "effect/Scope"
import type { Alerter } from "../../Alerter.ts"
import type { ConfigFile } from "../../config/index.ts"
import * as Monitors from "../../config/internal/apply/monitors.ts"
import { errorOf } from "../../config/internal/file/errorOf.ts"
import { byPosition } from "../../config/internal/file/positions.ts"
import type { DurableAlerts, DurableModule, DurableRequest, UsageError } from "../request.ts"
import { begin, tell } from "../run/beginning.ts"
import * as Monitoring from "../run/monitoring.ts"
import { reportingAlerts } from "../supervise/child.ts"
import * as Config from "../supervise/config.ts"
import type { Session } from "./session.ts"
import { alerterOf, type Supervision } from "./supervision.ts"

/** The keys of a config file that concern its alerter and its monitors. */
const used: ReadonlySet<string> = new Set(["$schema", "alerter", "language", "monitor", "public"])

/** How long the services of the pipelines may take to be built: it may be for their database that nothing could begin. */
const patience = "10 seconds"

/** The handle by which a program uses the alerter and the monitors of the file, and says how it is called. */
export interface Beginning {
  /** Provides the monitors, and the alerter of the file, where the services of the pipelines have none of their own. */
  readonly alerting: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Tells how it is called, once the module is loaded. From then on its services may have an alerter, too. */
  readonly loaded: (name: string) => void
}

/**
 * Runs a program, and alerts why it could not begin: through the alerter of the config file, which is built before anything
 * else, or else through that of the pipelines' services.
 */
export const telling = <E, R>(
  request: DurableAlerts & DurableModule & DurableRequest,
  session: Session,
  { supervisor }: Supervision,
  name: string,
  program: (beginning: Beginning) => Effect.Effect<number, E, R>
): Effect.Effect<number, E | ConfigFile.ConfigFileError | UsageError, Exclude<R, Scope> | FileSystem | Path> =>
  Effect.scoped(Effect.gen(function*() {
    const { config, reference } = request
    const since = Date.now()
    const source = config === undefined ? undefined : yield* Effect.cached(Config.sourceOf(config))
    const { alerter, monitors } = yield* Config.read({ ...request, pipeline: undefined }, undefined, { source })
    const reporting = supervisor === undefined ? identity : reportingAlerts(supervisor)
    const ofFile = yield* begin(alerter === undefined ? undefined : reporting(alerter))
    const told = yield* Monitoring.make(monitors, supervisor)
    let ofServices: Layer.Layer<Alerter, unknown, FileSystem | Path> | undefined
    let known = name
    const layer = ofFile.alerter
    return yield* Effect.gen(function*() {
      if (config !== undefined && source !== undefined) yield* checked(config, source, request, layer === undefined)
      return yield* program({
        // a cast: where there is no layer, the alerter is among the services
        alerting: (effect) =>
          Effect.provide(layer === undefined ? effect : Effect.provide(effect, layer) as typeof effect, told.layer),
        loaded: (own) => {
          known = own
          ofServices = alerterOf(request)
        }
      })
    }).pipe(Effect.onExit((exit) =>
      exit._tag === "Success" ? Effect.void : Effect.gen(function*() {
        const other = layer === undefined && ofServices !== undefined
          ? yield* Effect.timeoutOption(begin(reporting(ofServices)), patience)
          : Option.none()
        yield* tell(Option.getOrElse(other, () => ofFile), told, { config, pipeline: reference }, exit, {
          name: known,
          pipelineName: undefined,
          since,
          begun: session.begun(),
          // no run has failed with it
          untold: true,
          // the runs go on when the next process starts
          stoppedBy: undefined,
          failure: session.failure()
        })
      })
    ))
  }))

/** Fails with all that is wrong in a file of which the alerter and the monitors alone are used. With `tries`, also with what can't be built. */
const checked = (
  config: string,
  source: Config.Source,
  request: DurableAlerts,
  tries: boolean
): Effect.Effect<void, ConfigFile.ConfigFileError, FileSystem | Path> =>
  Effect.gen(function*() {
    const { build, whole } = yield* Config.open(config, request, {
      orMonitor: true,
      // the command line names an alerter in place of the file's
      orNothing: request.alertUrls.length > 0,
      source
    })
    const { decoded, issues } = whole
    yield* build({ tries })
    const made = yield* Effect.result(Monitors.build(decoded?.document ?? {}))
    const ofMonitors = made._tag === "Success" ? [] : made.failure.map(({ path, problem }) => ({
      path,
      file: config,
      position: decoded?.positionOf(path),
      ...problem
    }))
    const others = Object.keys(decoded?.document ?? {}).filter((key) => !used.has(key)).map((key) => ({
      path: [key],
      file: config,
      position: decoded?.positionOf([key]),
      found: `the key ${key}`,
      expected: "alerter, language and monitor alone, since durable pipelines use no other key"
    }))
    const all = [...issues, ...ofMonitors, ...others]
    if (all.length > 0) yield* Effect.fail(all.toSorted(byPosition))
  }).pipe(Effect.mapError((issues) => errorOf(config, issues)))
