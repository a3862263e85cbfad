/** Refuses addresses at which others than runners might reach a runner of `effect/cluster`. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { isLoopback } from "../../../internal/text/host.ts"

const Base: new(fields: { readonly host: string }) => Cause.YieldableError & {
  readonly _tag: "UntrustedNetwork"
  readonly host: string
} = Data.TaggedError("UntrustedNetwork")<{ readonly host: string }>

export class UntrustedNetwork extends Base {
  override get message(): string {
    return `the host ${
      JSON.stringify(this.host)
    } is not this machine alone, and the protocol of effect/cluster has no ` +
      "authentication: whoever reaches the port can start, interrupt and disturb runs"
  }
}

/** Fails unless the hosts are loopback addresses, or the network is said to be trusted. */
export const check = (hosts: ReadonlyArray<string>, trusted: boolean): Effect.Effect<void, UntrustedNetwork> => {
  const host = trusted ? undefined : hosts.find((host) => !isLoopback(host))
  return host === undefined ? Effect.void : Effect.fail(new UntrustedNetwork({ host }))
}
