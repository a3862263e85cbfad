/** Tells an engine which records need not be on the disk before the run goes on. */
import * as Context from "effect/Context"

/**
 * An annotation of an activity: returns whether a power cut may undo the record of its result until the next one is on the
 * disk. It is called once the activity has ended. A killed process never undoes a record.
 *
 * So it is for records that decide nothing: where one is gone, the run does what it did once more, and comes to the same
 * place.
 */
export const Deferrable: Context.Reference<() => boolean> = Context.Reference<() => boolean>(
  "effect-epilogue/durable/Deferrable",
  { defaultValue: () => () => false }
)

/** The annotations of an activity whose record decides nothing. */
export const deferrable: Context.Context<never> = Context.make(Deferrable, () => true)
