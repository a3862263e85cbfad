/** Describes the parameters of a step. */
import * as Context from "effect/Context"
import type { StepOwner } from "../model/owner.ts"
import { readOr } from "../text/read.ts"

/** Describes the values of services, by their keys. */
export const describeAll = (
  params: StepOwner["params"],
  context: Context.Context<never>
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(params.map((service) => [service.key, describeParams(service, context)]))

/** Describes the value of a service. A body that needs a missing one fails itself, and its hooks must still run. */
const describeParams = (service: StepOwner["params"][number], context: Context.Context<never>): unknown => {
  const value = Context.getOrUndefined(context, service)
  return value === undefined ? "<not provided>" : readOr("<unreadable>", () => service.describe(value))
}
