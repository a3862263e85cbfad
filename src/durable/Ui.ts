/**
 * Shows durable runs on the page of recorded ones.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { DurableRuns } from "../internal/model/durableRuns.ts"
import * as internal from "./internal/ui.ts"

export type { DurableRuns, DurableRunsError } from "../internal/model/durableRuns.ts"

/**
 * Provides the stored runs of an engine, and their open questions, to `Report.layerUi`, which then shows them, too.
 *
 * **Details**
 *
 * The page has the unfinished runs and the last thousand that have ended. It looks at them once a second while somebody
 * looks at it.
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
export const layerUi = (): Layer.Layer<DurableRuns, never, WorkflowEngine> => internal.layer()
