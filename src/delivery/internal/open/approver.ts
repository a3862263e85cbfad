/** The service `Approver` by its name: the module with its class loads the engine, which policies do not need. */
import * as Context from "effect/Context"
import type { Approver } from "../../../Approver.ts"

/** The key of the service, which equals that of the class. */
export const ApproverKey: Context.Service<Approver, Approver.Shape> = Context.Service<Approver, Approver.Shape>(
  "effect-epilogue/Approver"
)
