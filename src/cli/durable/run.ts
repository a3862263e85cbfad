/** `epilogue run --durable`: submits a run and waits for its end. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { healthOf } from "../../durable/internal/storage/guard.ts"
import { outcomeOf } from "../../internal/engine/outcome.ts"
import { reasonOf, skippedOf } from "../../internal/model/skip.ts"
import * as Writer from "../../internal/text/writer.ts"
import { type DurableRunRequest, ExitCode } from "../request.ts"
import { err, errBlock, out } from "../run/environment.ts"
import { causeText } from "../run/output.ts"
import { telling } from "./beginning.ts"
import { client, type Database, type Engine, engine, isHeld } from "./database.ts"
import { loadOne, payloadOf, type Pipeline, type Services } from "./loading.ts"
import { Runs } from "./runs.ts"
import { isInUse, runner, type Session, session } from "./session.ts"
import { supervised, type Supervision } from "./supervision.ts"

/** Submits a run and waits for its end. It runs in this process or in a worker. */
export const run = (request: DurableRunRequest): Promise<number> =>
  supervised(request, request.reference, (supervision) => runHere(request, supervision))

const runHere = (request: DurableRunRequest, supervision: Supervision): Promise<number> =>
  session(
    request,
    (session) =>
      telling(request, session, supervision, request.reference, ({ alerting, loaded }) =>
        Effect.gen(function*() {
          const { pipeline, services } = yield* loadOne(request)
          loaded(pipeline.name)
          supervision.supervisor?.send({ _tag: "Loaded", pipelineName: pipeline.name })
          const payload = yield* payloadOf(pipeline, request.payload)
          const runId = yield* pipeline.workflow.executionId(payload)
          const submission: Submission = { session, pipeline, services, payload, runId, submitted: false }
          session.own.add(runId)
          const exit = yield* session.observed(alerting(
            session.database._tag === "Sqlite"
              ? inFile(submission, session.database)
              : Effect.provide(follow(submission, waiting(submission)), client(session.database))
          ))
          return yield* printEnd(submission, exit)
        })),
    supervision
  )

interface Submission {
  readonly session: Session
  readonly pipeline: Pipeline
  readonly services: Services
  readonly payload: object
  readonly runId: string
  submitted: boolean
}

type Ended = Exit.Exit<unknown, unknown>

// -----------------------------------------------------------------------------
// the process that executes the run
// -----------------------------------------------------------------------------

/**
 * Executes the run in this process, unless another process has the SQLite file open, which allows one process only.
 * Then it waits for that process, and takes over where that ends without having finished the run.
 */
const inFile = (
  submission: Submission,
  database: Extract<Database, { readonly _tag: "Sqlite" }>
): Effect.Effect<Ended, unknown> =>
  Effect.gen(function*() {
    const { pipeline: { name }, runId, session } = submission
    if (!(yield* isHeld(database.filename))) {
      session.messages.interrupt =
        `stopping ${name} when the step under way has ended; run ${runId} goes on at the next start`
      const layer = runner(
        { pipelines: [submission.pipeline], services: submission.services },
        engine(database, { host: "127.0.0.1", port: 0, trustedNetwork: false })
      )
      const here = yield* Effect.catchIf(
        Effect.provide(follow<never>(submission, Effect.void), layer),
        isInUse,
        () => Effect.succeed("in use" as const)
      )
      if (here !== "in use") return here
    }
    const there = yield* Effect.provide(
      follow(submission, abandoned(database.filename, waiting(submission))),
      client(database)
    )
    if (there !== "abandoned") return there
    err(`no other process has the database ${database.filename} open any more: ${name} goes on in this one`)
    return yield* inFile(submission, database)
  })

/** An effect that runs between two polls of a run. Polling ends with the first value that it returns. */
type Meanwhile<A> = Effect.Effect<A | void, unknown, Engine>

/** The time until a message says that the run waits for a worker, in milliseconds. */
const patience = 3000

/** The time for which no process must have the file open, in milliseconds: a worker may be restarting. */
const grace = 5000

/** Prints that the run waits for a worker, where none has begun it for a while. */
const waiting = ({ pipeline: { name }, runId, session }: Submission): Meanwhile<never> => {
  const since = Date.now()
  let begun = false
  let printed = false
  session.messages.interrupt = `leaving ${name}; run ${runId} goes on without this`
  return Effect.gen(function*() {
    if (begun) return
    const runs = yield* Runs
    begun = yield* Effect.orElseSucceed(runs.begun(name, runId), () => false)
    if (begun && printed) err(`a worker has begun ${name}`)
    if (!begun && !printed && Date.now() - since > patience) {
      printed = true
      err(`waiting for a worker that runs ${name}`)
    }
  })
}

/** Returns `"abandoned"` once no process has had the file open for a while. */
const abandoned = (filename: string, meanwhile: Meanwhile<never>): Meanwhile<"abandoned"> => {
  let next = Date.now() + 1000
  let free = 0
  return Effect.gen(function*() {
    yield* meanwhile
    if (Date.now() < next) return undefined
    next = Date.now() + 1000
    if (yield* isHeld(filename)) free = 0
    else if (free === 0) free = Date.now()
    return free > 0 && Date.now() - free > grace ? "abandoned" : undefined
  })
}

// -----------------------------------------------------------------------------
// following a run
// -----------------------------------------------------------------------------

/** Submits the run, unless that was done before, and polls it until it ends. */
const follow = <A = never>(
  submission: Submission,
  meanwhile: Meanwhile<A>
): Effect.Effect<Ended | A, unknown, Engine> =>
  Effect.gen(function*() {
    const { payload, pipeline: { name, workflow }, runId, session: { emit } } = submission
    if (!submission.submitted) {
      const before = yield* poll(submission)
      yield* workflow.execute(payload, { discard: true })
      submission.submitted = true
      if (emit === undefined) out(`${name}: run ${runId}`)
      else emit({ _tag: "Submitted", pipelineName: name, runId })
      if (before !== undefined) err(`${name} has run with this payload before; this is the result of that run`)
    }
    const health = healthOf(yield* WorkflowEngine)
    while (true) {
      const ended = yield* poll(submission)
      if (ended !== undefined) return ended
      const lost = health?.failure
      if (lost !== undefined) return Exit.fail(lost)
      const other = yield* meanwhile
      if (other !== undefined) return other
      yield* Effect.sleep("150 millis")
    }
  })

/** Returns the exit of the run once it has ended. Retries while the database can't be reached. */
const poll = ({ pipeline: { workflow }, runId }: Submission): Effect.Effect<Ended | undefined, never, Engine> =>
  Effect.exit(workflow.poll(runId)).pipe(
    Effect.flatMap((polled): Effect.Effect<Ended | undefined, "unreachable"> => {
      if (Exit.isFailure(polled)) {
        if (Cause.hasInterruptsOnly(polled.cause)) return Effect.interrupt
        const error = Cause.squash(polled.cause)
        return hasProperty(error, "_tag") && error._tag === "PersistenceError"
          ? Effect.fail("unreachable")
          : Effect.succeed(polled)
      }
      if (polled.value._tag === "None") return Effect.undefined
      const result = polled.value.value
      if (result._tag === "Complete") return Effect.succeed(result.exit)
      // suspended by a failure, as annotations of the workflow may ask for: it stays so until it is resumed
      return Effect.succeed(result.failed === true ? Exit.failCause(result.cause ?? Cause.empty) : undefined)
    }),
    Effect.tapError(() => Writer.logWarning("the database can't be reached; trying again")),
    Effect.retry(Schedule.spaced("2 seconds")),
    Effect.orDie
  )

/** Prints the end of the run, and returns the exit code. */
const printEnd = (
  { pipeline: { name, workflow }, runId, session: { emit, redact } }: Submission,
  exit: Ended
): Effect.Effect<number> =>
  Effect.gen(function*() {
    const outcome = outcomeOf(exit)
    const value = Exit.isSuccess(exit)
      ? yield* Effect.orElseSucceed(
        Schema.encodeEffect(Schema.toCodecJson(workflow.successSchema))(exit.value),
        () => undefined
      )
      : undefined
    const cause = Exit.isFailure(exit) ? causeText(exit.cause) : undefined
    if (emit !== undefined) emit({ _tag: "Ended", pipelineName: name, runId, outcome, value, cause })
    if (cause === undefined) {
      const shown = value === undefined ? undefined : redact(JSON.stringify(value))
      if (emit === undefined) out(`${name} succeeded${shown === undefined || shown === "null" ? "" : `: ${shown}`}`)
      return ExitCode.success
    }
    if (outcome === "skip") {
      const reason = reasonOf(skippedOf(exit))
      if (emit === undefined) out(redact(`${name} was skipped${reason === undefined ? "" : `: ${reason}`}`))
      return ExitCode.success
    }
    errBlock(redact(outcome === "interrupt" ? `${name} was interrupted` : `${name} failed: ${cause}`))
    return outcome === "interrupt" ? ExitCode.interrupted : ExitCode.failed
  })
