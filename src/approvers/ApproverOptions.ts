/**
 * What every approver that asks in a channel can be told.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { ChannelOptions } from "../alerters/ChannelOptions.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ApproverOptions extends ChannelOptions {
  /** How long to wait between one look for answers and the next. 2 seconds unless set. */
  readonly interval?: Duration.Input | undefined
}
