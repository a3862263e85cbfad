/** Names the options by which channels and monitors send. */
import type { ChannelOptions } from "../../ChannelOptions.ts"

/** The names of the options that `Options` has beyond `Common`. The type makes tsc demand each. */
export type NamesBeyond<Options, Common> = { readonly [K in Exclude<keyof Options, keyof Common>]-?: 0 }

/** The options of sending, which channels and monitors have. A channel also shows times, in its zone. */
export const sending: NamesBeyond<ChannelOptions, Pick<ChannelOptions, "timeZone">> = {
  timeout: 0,
  retries: 0,
  delay: 0,
  maxDelay: 0,
  pace: 0,
  drain: 0,
  capacity: 0
}
