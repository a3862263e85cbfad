/**
 * Shows durable runs on the page of recorded ones.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Person } from "../Approver.ts"
import type { DurableRuns } from "../internal/model/durableRuns.ts"
import { checked } from "../internal/model/options.ts"
import * as internal from "./internal/ui.ts"

export type { DurableRuns, DurableRunsError } from "../internal/model/durableRuns.ts"

/**
 * Options of {@link layerUi}.
 *
 * @category options
 * @since 0.1.0
 */
export interface UiOptions {
  /**
   * The person in whose name the page answers questions, and interrupts and retries runs. Unless set, it changes nothing.
   */
  readonly actionsAs?: Person | undefined
}

/**
 * Provides the stored runs of an engine, and their open questions, to `Report.layerUi`, which then shows them, too.
 *
 * **Details**
 *
 * The page has the unfinished runs and the last thousand that have ended. It reads them once a second while somebody
 * has it open.
 *
 * Unless `actionsAs` names somebody, it changes nothing. Questions are answered as by `Approval.answer`, so that their
 * list of approvers and their time limit hold, and runs are interrupted and retried as by `Durable.interrupt` and
 * `Durable.retry`.
 *
 * **Gotchas**
 *
 * Everybody who has the link of the page acts in the name of that person.
 *
 * @example
 * ```ts
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Durable } from "effect-epilogue/durable"
 * import { Report } from "effect-epilogue/report"
 * import { Layer } from "effect"
 * import { createServer } from "node:http"
 *
 * const ui = Report.layerUi().pipe(
 *   Layer.provide(Durable.layerUi()),
 *   Layer.provide(Durable.layerSqliteClient({ filename: ".epilogue/durable.db" })),
 *   Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
 * )
 * ```
 *
 * @category pages
 * @since 0.1.0
 */
export const layerUi = (options: UiOptions = {}): Layer.Layer<DurableRuns, never, WorkflowEngine> =>
  Layer.unwrap(
    Effect.sync(() => internal.layer(checked("Durable.layerUi", options, { actionsAs: 0 }).actionsAs))
  )
