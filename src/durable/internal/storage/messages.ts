/**
 * Makes the message storage of a cluster wait while its database fails. `effect/cluster` by itself tries a reply that
 * can't be stored for a second, and then its request stands still; a request that can't be stored ends its run.
 */
import * as Cause from "effect/Cause"
import { EntityNotAssignedToRunner, PersistenceError } from "effect/cluster/ClusterError"
import { CurrentAddress } from "effect/cluster/Entity"
import type { EntityAddress } from "effect/cluster/EntityAddress"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { SqlClient } from "effect/sql/SqlClient"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { pause } from "../../../internal/files/sqlite.ts"
import type { Closed, Health } from "./health.ts"
import { problemOf } from "./problems.ts"

type Storage = MessageStorage["Service"]
type Services = Sharding["Service"]

type AnyCall = Effect.Effect<any, any>

type Operation = "read" | "write"

/** How long a database may leave a call unanswered, in milliseconds: after a network is cut it may do so for hours. */
const limit = 15_000

/** How long a fiber of a run that this runner has lost waits to be interrupted, in milliseconds. */
const grace = 2_000

/** Methods that are tried again until they succeed. */
const insisted: ReadonlyArray<readonly [keyof Storage, Operation]> = [
  ["saveRequest", "write"],
  ["saveEnvelope", "write"],
  ["clearReplies", "write"],
  ["clearAddress", "write"],
  ["repliesForUnfiltered", "read"],
  ["requestIdForPrimaryKey", "read"],
  ["unprocessedMessagesById", "read"]
]

/** Methods whose callers try again by themselves, or do not need them to succeed. */
const observed: ReadonlyArray<keyof Storage> = [
  "repliesFor",
  "resetRequests",
  "resetAddresses",
  "resetShards"
]

/** The error of a call that got no answer, with the code that Postgres has for a connection that failed. */
class NoAnswer extends Error {
  readonly code = "08006"
  constructor() {
    super(`no answer within ${limit / 1000} s`)
  }
}

/** Whether an error says that the database fails, and not that it refuses this call. */
const isProblem = (error: unknown): boolean => error instanceof PersistenceError && problemOf(error) !== undefined

/** Fails where there is no answer in time. The call goes on then: to interrupt it may take as long as the call. */
const limited = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E | PersistenceError, R> =>
  Effect.flatMap(
    Effect.forkDetach(call, { startImmediately: true }),
    (fiber) =>
      fiber.pollUnsafe() ?? Effect.callback<A, E | PersistenceError>((resume) => {
        const timer = setTimeout(() => resume(Effect.fail(new PersistenceError({ cause: new NoAnswer() }))), limit)
        const unobserve = fiber.addObserver((exit) => {
          clearTimeout(timer)
          resume(exit)
        })
        return Effect.suspend(() => {
          clearTimeout(timer)
          unobserve()
          return Fiber.interrupt(fiber)
        })
      })
  )

/** Returns a service of a fiber, if it has it. */
const find = <I, S>(context: Context.Context<never>, service: Context.Key<I, S>): S | undefined =>
  Context.getOrUndefined(context as Context.Context<I>, service)

const addressOf = (context: Context.Context<never>): EntityAddress | undefined => find(context, CurrentAddress)

/** Returns whether a fiber has lost its run, if it belongs to one. */
const lossOf = (context: Context.Context<never>, sharding: Services): Closed | undefined => {
  const address = addressOf(context)
  if (address !== undefined) return { isOpen: () => !sharding.hasShardId(address.shardId), await: Effect.never }
  return find(context, WorkflowInstance) === undefined
    ? undefined
    : { isOpen: () => false, await: Effect.never }
}

/** The health of the storages that wait. */
const guarded = new WeakMap<Storage, Health>()

/**
 * Makes a storage wait, in place: the cluster has it already. Returns its health, which is that of the first guard.
 *
 * **Details**
 *
 * Fibers that belong to a run wait for as long as this runner has the run, and others until the wait is given up. Where
 * the database fails for long the cluster takes the runner's shards away and interrupts their runs, which go on where the
 * shards are acquired next. In a transaction nothing waits, since the failure has ended it: the cluster starts it anew.
 */
export const guardMessages = (
  storage: Storage,
  sharding: Services,
  client: SqlClient | undefined,
  health: Health
): Health => {
  const known = guarded.get(storage)
  if (known !== undefined) return known
  guarded.set(storage, health)

  const inTransaction = (context: Context.Context<never>): boolean =>
    client !== undefined && find(context, client.transactionService) !== undefined

  /** Tries a call, and again while the database fails: `again` then, where that is given. */
  const insist = <A, E>(operation: Operation, call: Effect.Effect<A, E>, again = call) =>
    Effect.contextWith((context: Context.Context<never>): Effect.Effect<A, E | PersistenceError> => {
      if (inTransaction(context)) return call
      const loss = lossOf(context, sharding)
      let next = call
      const attempt = Effect.suspend(() => {
        const answer = limited(next)
        next = again
        return Effect.catch(
          Effect.map(answer, Exit.succeed),
          (error) => isProblem(error) ? Effect.fail(error) : Effect.succeed(Exit.fail(error))
        )
      })
      const insisting = Effect.flatten(health.insist(operation, attempt, loss))
      return loss === undefined ?
        insisting :
        Effect.catchCause(insisting, (cause) =>
          loss.isOpen() && Cause.hasInterruptsOnly(cause)
            // The cluster is about to interrupt the run. If its body ended before that, it would count as failed.
            ? Effect.andThen(pause(grace), Effect.failCause(cause))
            : Effect.failCause(cause))
    })

  const { clearReplies, registerReplyHandler, repliesForUnfiltered, saveReply } = storage

  const guardedReply = function(this: Storage, reply: Parameters<Storage["saveReply"]>[0]) {
    const { id, requestId } = reply.reply
    const save = Effect.suspend(() => saveReply.call(this, reply))
    /** Saves where the try before may have stored the reply without a confirmation. */
    const again = Effect.catch(save, (error) =>
      isProblem(error)
        ? Effect.fail(error)
        : Effect.flatMap(repliesForUnfiltered.call(this, [requestId]), (stored) =>
          stored.at(-1)?.id === String(id)
            // saved anew, since only a save tells those who wait for the reply
            ? Effect.andThen(clearReplies.call(this, requestId, { expectedReplyId: id }), save)
            : Effect.fail(error)))
    return Effect.contextWith((context: Context.Context<never>) => {
      const address = addressOf(context)
      const saving = insist("write", save, again)
      return address === undefined || inTransaction(context) ?
        saving :
        Effect.catchCause(saving, (cause) =>
          sharding.hasShardId(address.shardId)
            ? Effect.failCause(cause)
            // The cast: the cluster's own check, before the save, of whether the runner has the shard fails with this error,
            // and then leaves the request to the runner that has the shard next. It handles both together.
            : Effect.fail(new EntityNotAssignedToRunner({ address }) as unknown as PersistenceError))
    })
  }

  /**
   * Ends the wait of an entity for the reply of its own run, once this runner has lost it. The cluster ends that wait with
   * an interruption, which a fiber that is being interrupted already takes for a failure: it would wait again and again,
   * and the shard would never be released. What waits, to resume the run, is a message that the next runner reads.
   */
  const register = function(this: Storage, message: Parameters<Storage["registerReplyHandler"]>[0]) {
    const wait = registerReplyHandler.call(this, message)
    return Effect.contextWith((context: Context.Context<never>) => {
      const own = addressOf(context)
      const { address } = message.envelope
      const isOwn = own !== undefined && own.entityId === address.entityId && own.entityType === address.entityType
      return isOwn && message.envelope.tag === "run" && !sharding.hasShardId(own.shardId) ? Effect.void : wait
    })
  }

  /** Notes that a call fails, which its caller tries again, or does not need. */
  const observe = <A, E>(call: Effect.Effect<A, E>) =>
    Effect.contextWith((context: Context.Context<never>): Effect.Effect<A, E | PersistenceError> =>
      inTransaction(context) ? call : Effect.tapError(limited(call), (error) => health.note("read", error))
    )

  /** As `observe`, and waits for a database that is well again: the cluster logs each call of this loop that fails. */
  const attend = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | PersistenceError> =>
    Effect.catch(
      observe(call),
      (error) => isProblem(error) ? Effect.andThen(health.recovered, attend(call)) : Effect.fail(error)
    )

  // the casts: each method is replaced by one of its own type
  const around = (name: keyof Storage, change: (call: AnyCall) => AnyCall) => {
    const method = storage[name] as (...args: ReadonlyArray<any>) => AnyCall
    return [name, function(this: Storage, ...args: ReadonlyArray<any>) {
      return change(Effect.suspend(() => method.apply(this, [...args])))
    }] as const
  }
  const methods = [
    ...insisted.map(([name, operation]) => around(name, (call) => insist(operation, call))),
    ...observed.map((name) => around(name, observe)),
    around("unprocessedMessages", attend)
  ]
  Object.assign(storage, Object.fromEntries(methods), { registerReplyHandler: register, saveReply: guardedReply })
  return health
}
