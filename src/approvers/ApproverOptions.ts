/**
 * The options that all approvers have in common that ask in a channel.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { ChannelOptions } from "../alerters/ChannelOptions.ts"

/**
 * Sets how an approver sends, and how often it looks for answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface ApproverOptions extends ChannelOptions {
  /** The time between two requests for answers. 2 seconds unless set. */
  readonly interval?: Duration.Input | undefined
}
