/** Names and checks the options by which channels and monitors send. */
import { paceMistakes } from "../../../internal/alerts/mailbox/pace.ts"
import { durationMistakes, fromOne, type Known, wholeMistakes } from "../../../internal/model/options.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"

/** The names of the options that `Options` has beyond `Common`, each with its check. The type makes tsc demand each. */
export type KnownBeyond<Options, Common> = Known<Omit<Options, keyof Common>>

/** The options of sending, which channels and monitors have. A channel also shows times, in its zone. */
export const sending: Known<Omit<ChannelOptions, "timeZone">> = {
  timeout: durationMistakes,
  retries: (what, value) => wholeMistakes(what, value, 0, Infinity),
  delay: durationMistakes,
  maxDelay: durationMistakes,
  pace: paceMistakes,
  drain: durationMistakes,
  capacity: fromOne
}
