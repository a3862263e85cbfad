/**
 * `epilogue run --durable`, `worker`, `answer` and `interrupt`: a bundle of its own, made like that of `run/run.ts`,
 * which commands for pipelines in memory do not load.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { userInfo } from "node:os"
import process from "node:process"
import * as Approval from "../../durable/Approval.ts"
import { check, UntrustedNetwork } from "../../durable/internal/engine/trustedNetwork.ts"
import { isToken } from "../../internal/text/token.ts"
import { type AnswerRequest, ExitCode, type InterruptRequest, UsageError, type WorkerRequest } from "../request.ts"
import { err, out } from "../run/environment.ts"
import { client, engine, existing, shown } from "./database.ts"
import { load, loadOne } from "./loading.ts"
import { requestIdOf } from "./requests.ts"
import { isInUse, runner, session } from "./session.ts"

export { run } from "./run.ts"

/** Runs durable pipelines of a module for all processes that submit runs to the database, until a signal. */
export const worker = (request: WorkerRequest): Promise<number> =>
  session(request, (session) =>
    Effect.gen(function*() {
      const { database, emit } = session
      // before the module is loaded; the engine checks the address to listen at too
      yield* check([request.host], request.trustedNetwork)
      const loaded = yield* load(request)
      const names = loaded.pipelines.map(({ name }) => name)
      session.messages.interrupt = "stopping when the steps under way have ended; their runs go on at the next start"
      const run = Effect.suspend(() => {
        if (emit === undefined) out(`worker ready: ${names.join(", ")} (${shown(database)})`)
        else emit({ _tag: "WorkerReady", pipelines: names, database: database._tag })
        return Effect.never
      })
      return yield* session.observed(Effect.provide(run, runner(loaded, engine(database, request)))).pipe(
        Effect.catchIf(isInUse, ({ message }) =>
          Effect.sync(() => {
            err(`error: ${message}`)
            return ExitCode.failed
          }))
      )
    }).pipe(
      Effect.catchIf((error) => error instanceof UntrustedNetwork, ({ message }) =>
        new UsageError({ message: `${message}. --trusted-network says that only workers can reach it` }))
    ))

/** Answers a question by its token. The answer goes to the database, so it needs no worker. */
export const answer = (request: AnswerRequest): Promise<number> =>
  session(request, ({ database, observed }) =>
    Effect.gen(function*() {
      const { approve, comment, token } = request
      if (!isToken(token)) return yield* new UsageError({ message: "the text is not a token of a question" })
      yield* existing(database)
      const name = request.by ?? userName()
      return yield* Approval.answer(token, { approve, by: { id: name, name }, comment }).pipe(
        Effect.map(() => {
          out(`${approve ? "approved" : "denied"} by ${name}`)
          return ExitCode.success as number
        }),
        Effect.catchTag("InvalidAnswer", ({ message, reason }) => {
          if (reason === "Token") {
            const where = shown(database)
            return new UsageError({
              message: `the database (${where}) has no question with this token: is it in another one?`
            })
          }
          err(reason === "Over" ? message : `error: ${message}`)
          return Effect.succeed(reason === "Over" ? ExitCode.failed : ExitCode.usage)
        }),
        Effect.provide(client(database)),
        observed
      )
    }))

/** Returns the name of the user, from the environment where the runtime does not know it. */
const userName = (): string => {
  try {
    const { username } = userInfo()
    if (username !== "" && username !== "unknown") return username
  } catch {}
  return process.env["USER"] ?? process.env["LOGNAME"] ?? "unknown"
}

/** Asks a run to end. The request goes to the database, so it needs no worker. */
export const interrupt = (request: InterruptRequest): Promise<number> =>
  session(request, ({ database, observed }) =>
    Effect.gen(function*() {
      const { runId } = request
      const { pipeline: { name, workflow } } = yield* loadOne(request)
      yield* existing(database)
      return yield* Effect.gen(function*() {
        if (Option.isNone(yield* requestIdOf(name, runId, "run", ""))) {
          return yield* new UsageError({ message: `there is no run ${runId} of ${name} (${shown(database)})` })
        }
        const result = yield* workflow.poll(runId)
        if (Option.isSome(result) && result.value._tag === "Complete") {
          err(`${name} ${runId} has ended already`)
          return ExitCode.failed
        }
        yield* workflow.interrupt(runId)
        out(`interrupting ${name} ${runId}, once the step under way has ended`)
        return ExitCode.success
      }).pipe(Effect.provide(client(database)), observed)
    }))
