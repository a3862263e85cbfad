/** How durable pipelines behave, on whatever engine. */
import type { Engine } from "../support/engine.ts"
import { approvalSuite } from "./approval.ts"
import { channelSuite } from "./approvalChannel.ts"
import { changesSuite } from "./codeChanges.ts"
import { interruptSuite } from "./interruption.ts"
import { outboxSuite } from "./outbox.ts"
import { besideSuite } from "./reevaluation.ts"
import { restartSuite } from "./restart.ts"
import { retrySuite } from "./retry.ts"
import { likeSuite } from "./sameAsInMemory.ts"
import { keysSuite } from "./stepKeys.ts"
import { stepsSuite } from "./steps.ts"
import { storedSuite } from "./storedValues.ts"

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
