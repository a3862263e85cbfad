/** The program of a run: it tells of a job that can't begin, loads the pipeline, and runs it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import type { LoadedFile } from "../../config/internal/load.ts"
import { skippedOf } from "../../internal/model/skip.ts"
import { ExitCode, type LoadRequest, type RunRequest } from "../request.ts"
import { reportingAlerts, reportingEvents, type Supervisor } from "../supervise/child.ts"
import * as Supervision from "../supervise/config.ts"
import * as Beginning from "./beginning.ts"
import { err } from "./environment.ts"
import { type CommandOptions, load } from "./loading.ts"
import * as Monitoring from "./monitoring.ts"
import type { Program } from "./session.ts"

/** @internal */
export interface ProgramOptions {
  readonly supervisor?: Supervisor | undefined
  /** The text of the config file. */
  readonly text: Supervision.Text | undefined
  /** The name of the job where its pipeline is not known yet; that of the file unless set. */
  readonly name?: string | undefined
  /** Returns more options of loading. */
  readonly options?: ((supervision: Supervision.Supervision) => CommandOptions) | undefined
  /** Whether to say which steps the config names that never ran. */
  readonly tellsUnused?: boolean | undefined
  /** Called before the run begins. */
  readonly onLoaded?: ((loaded: LoadedFile, supervision: Supervision.Supervision) => void) | undefined
}

/** Makes the program of a pipeline, which reports to the supervisor, if there is one. */
export const program = (
  request: LoadRequest & Pick<RunRequest, "monitors">,
  { name, onLoaded, options, supervisor, tellsUnused, text }: ProgramOptions
): Program =>
(session) => {
  const { begun, failure, messages, observed, recordAs, stoppedBy } = session
  const since = Date.now()
  const main = Effect.gen(function*() {
    const supervision = yield* Supervision.read(request, text)
    const { alerter, monitors, pipeline: file } = supervision
    // the supervisor learns of each alert that was delivered, so that it repeats none
    const reporting = supervisor === undefined ? identity : reportingAlerts(supervisor)
    // before anything else, so that it can tell of what can't be loaded
    const beginning = yield* Beginning.begin(alerter === undefined ? undefined : reporting(alerter))
    const told = yield* Monitoring.make(monitors, supervisor)
    let known: string | undefined
    let untold = () => false
    return yield* Effect.gen(function*() {
      const loaded = yield* load(request, {
        alerter: (self) => beginning.alerter ?? reporting(self),
        buildAlerter: beginning.alerter === undefined,
        tellsMonitors: true,
        text,
        onName: (own) => {
          known = own
        },
        ...options?.(supervision)
      })
      const { pipeline, pipelineName, record } = loaded
      if (record !== undefined) recordAs(record)
      untold = loaded.untold
      supervisor?.send({ _tag: "Loaded", pipelineName })
      messages.interrupt = (durable) =>
        durable === undefined
          ? `interrupting ${pipelineName}`
          : `stopping ${pipelineName} once the steps under way have ended, or their time is up: ${durable}, and other runs ` +
            "are interrupted"
      messages.failure = `${pipelineName} failed: `
      onLoaded?.(loaded, supervision)
      const run = observed(Effect.provide(pipeline, told.layer))
      // a run that failed or was skipped has left steps out, which says nothing about their names
      yield* withoutSkip(tellsUnused === true ? Effect.tap(run, tellUnused(session.afterRuns, loaded)) : run)
      return ExitCode.success
    }).pipe(Effect.onExit((exit) =>
      Beginning.tell(beginning, told, request, exit, {
        name: known ?? name ?? file,
        pipelineName: known,
        since,
        begun: begun(),
        untold: untold(),
        // the supervisor tells of a signal
        stoppedBy: supervisor === undefined ? stoppedBy() : undefined,
        failure: failure()
      })
    ))
  })
  const scoped = Effect.scoped(main)
  // around the alerter, since what happens before that is closed may be a crash
  return supervisor === undefined ? scoped : Effect.provide(scoped, reportingEvents(supervisor))
}

/** A run that was skipped has had nothing to do, which its last line tells, and is no failure. */
const withoutSkip = <E, R>(run: Effect.Effect<unknown, E, R>): Effect.Effect<unknown, E, R> =>
  Effect.catchCause(
    run,
    (cause) => skippedOf(Exit.failCause(cause)) === undefined ? Effect.failCause(cause) : Effect.void
  )

/** Says after a run that has come to its end which steps the config names that never ran. */
const tellUnused = (
  afterRuns: (report: Effect.Effect<void>) => void,
  { unusedSteps }: LoadedFile
): Effect.Effect<void> =>
  Effect.sync(() =>
    afterRuns(Effect.map(unusedSteps, (steps) => {
      for (const step of steps) err(`the config names a step "${step}", which never ran`)
    }))
  )
