/** The seam through which tests look on while the engine and its client execute statements. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** A value that SQLite stores. */
export type Value = null | number | bigint | string | Uint8Array

/** A statement and its parameters. */
export interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<Value>
}

/** Makes a statement of its text and its parameters. */
export const statement = (sql: string, ...params: Statement["params"]): Statement => ({ sql, params })

/** Statements that are executed in one transaction. */
export type Move = ReadonlyArray<Statement>

/** Looks on while statements are executed, or changes how, so that tests can let them fail, wait, or be the last ones. */
export interface Watch {
  /** Called before each statement of the engine and of the client. What it throws is the statement's error. */
  readonly statement?: ((sql: string) => void) | undefined
  /** Wraps the execution of each move of the engine. */
  readonly move?: (<A, E>(move: Move, execute: Effect.Effect<A, E>) => Effect.Effect<A, E>) | undefined
}

/** The `Watch` of engines and clients that are built. */
export const CurrentWatch: Context.Reference<Watch> = Context.Reference<Watch>("effect-epilogue/durable/Watch", {
  defaultValue: () => ({})
})
