/**
 * `epilogue worker` and `answer`. These, `run.ts`, `stored.ts` and `outbox.ts` are bundles, as `run/run.ts` is,
 * which share what they have in common: a command loads what it needs.
 */
import * as Effect from "effect/Effect"
import * as Approval from "../../durable/Approval.ts"
import { check, UntrustedNetwork } from "../../durable/internal/engine/trustedNetwork.ts"
import { isToken } from "../../internal/text/token.ts"
import { type AnswerRequest, ExitCode, UsageError, type WorkerRequest } from "../request.ts"
import { err, out } from "../run/environment.ts"
import { userName } from "../run/userName.ts"
import { telling } from "./beginning.ts"
import { client, engine, existing, shown } from "./database.ts"
import { load } from "./loading.ts"
import { isInUse, runner, session } from "./session.ts"
import { supervised, type Supervision } from "./supervision.ts"

/** Runs durable pipelines of a module for all processes that submit runs to the database, until a signal. */
export const worker = (request: WorkerRequest): Promise<number> =>
  supervised(request, `worker of ${request.reference}`, (supervision) => workHere(request, supervision))

const workHere = (request: WorkerRequest, supervision: Supervision): Promise<number> =>
  session(
    request,
    (session) =>
      telling(request, session, supervision, `worker of ${request.reference}`, ({ alerting, loaded: named }) =>
        Effect.gen(function*() {
          const { database, emit } = session
          // before the module is loaded; the engine checks the address to listen at too
          yield* check([request.host], request.trustedNetwork)
          const loaded = yield* load(request)
          const names = loaded.pipelines.map(({ name }) =>
            name
          )
          named(`worker of ${names.join(", ")}`)
          supervision.supervisor?.send({ _tag: "Loaded", pipelineName: `worker of ${names.join(", ")}` })
          session.messages.interrupt =
            "stopping when the steps under way have ended; their runs go on at the next start"
          const run = Effect.suspend(() => {
            if (emit === undefined) {
              out(`worker ready: ${names.join(", ")} (${shown(database)})`)
            } else emit({ _tag: "WorkerReady", pipelines: names, database: database._tag })
            return Effect.never
          })
          return yield* session.observed(alerting(Effect.provide(run, runner(loaded, engine(database, request)))))
        })).pipe(
          Effect.catchIf(isInUse, ({ message }) =>
            Effect.sync(() => {
              err(`error: ${message}`)
              return ExitCode.failed
            })),
          Effect.catchIf((error) =>
            error instanceof UntrustedNetwork, ({ message }) =>
            new UsageError({ message: `${message}. --trusted-network says that only workers can reach it` }))
        ),
    supervision
  )

/** Answers a question by its token. The answer goes to the database, so it needs no worker. */
export const answer = (request: AnswerRequest): Promise<number> =>
  session(request, ({ database, observed }) =>
    Effect.gen(function*() {
      const { approve, comment, token, values } = request
      if (!isToken(token)) return yield* new UsageError({ message: "the text is not a token of a question" })
      yield* existing(database)
      const name = request.by ?? userName()
      return yield* Approval.answer(token, { approve, by: { id: name, name }, comment, values }).pipe(
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
