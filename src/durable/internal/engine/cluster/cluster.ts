/** The parts of an engine on a cluster. */
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import type { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Retries } from "./retries.ts"
import type { Tables } from "./tables.ts"

/** The parts of an engine on a cluster. */
export interface Cluster {
  readonly engine: WorkflowEngine["Service"]
  readonly sharding: Sharding["Service"]
  readonly storage: MessageStorage["Service"]
  readonly client: SqlClient
  readonly tables: Tables
  readonly retries: Retries
}
