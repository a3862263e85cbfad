/** How durable pipelines behave, on whatever engine. */
import { approvalSuite } from "./approval.ts"
import { besideSuite } from "./beside.ts"
import { changesSuite } from "./changes.ts"
import { channelSuite } from "./channel.ts"
import { interruptSuite } from "./interrupt.ts"
import { keysSuite } from "./keys.ts"
import { likeSuite } from "./like.ts"
import { outboxSuite } from "./outbox.ts"
import { restartSuite } from "./restart.ts"
import { retrySuite } from "./retry.ts"
import { stepsSuite } from "./steps.ts"
import { storedSuite } from "./stored.ts"
import type { Engine } from "./support.ts"

export const durableSuite = (engine: Engine): void => {
  likeSuite(engine)
  outboxSuite(engine)
  changesSuite(engine)
  keysSuite(engine)
  storedSuite(engine)
  approvalSuite(engine)
  channelSuite(engine)
  retrySuite(engine)
  restartSuite(engine)
  interruptSuite(engine)
  stepsSuite(engine)
  besideSuite(engine)
}
