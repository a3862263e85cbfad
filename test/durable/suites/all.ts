/** Registers suites of durable pipelines for an engine. */
import type { Engine } from "../support/engine.ts"
import { alertedOnceSuite } from "./alertedOnce.ts"
import { approvalSuite } from "./approval.ts"
import { approvalChannelSuite } from "./approvalChannel.ts"
import { approvalTrustSuite } from "./approvalTrust.ts"
import { approvalValuesSuite } from "./approvalValues.ts"
import { codeChangesSuite } from "./codeChanges.ts"
import { crashesSuite } from "./crashes.ts"
import { defaultsSuite } from "./defaults.ts"
import { interruptionSuite } from "./interruption.ts"
import { interruptionLawsSuite } from "./interruptionLaws.ts"
import { outboxSuite } from "./outbox.ts"
import { recoverySuite } from "./recovery.ts"
import { reevaluationSuite } from "./reevaluation.ts"
import { restartSuite } from "./restart.ts"
import { retrySuite } from "./retry.ts"
import { rollbackSuite } from "./rollback.ts"
import { runLimitSuite } from "./runLimit.ts"
import { sameAsInMemorySuite } from "./sameAsInMemory.ts"
import { setAsideSuite } from "./setAside.ts"
import { skipSuite } from "./skip.ts"
import { stepKeysSuite } from "./stepKeys.ts"
import { stepsSuite } from "./steps.ts"
import { storedContextSuite } from "./storedContext.ts"
import { storedRunsSuite } from "./storedRuns.ts"
import { storedValuesSuite } from "./storedValues.ts"

/** Registers the suites about what an engine stores, and what is there after a crash. */
export const storageSuite = (engine: Engine): void => {
  outboxSuite(engine)
  storedValuesSuite(engine)
  storedContextSuite(engine)
  crashesSuite(engine)
  restartSuite(engine)
  interruptionSuite(engine)
  recoverySuite(engine)
  if (!engine.survives) return
  interruptionLawsSuite(engine)
  // those that keep runs can be asked for them
  storedRunsSuite(engine)
}

/** Registers all suites. */
export const durableSuite = (engine: Engine): void => {
  storageSuite(engine)
  alertedOnceSuite(engine)
  sameAsInMemorySuite(engine)
  codeChangesSuite(engine)
  setAsideSuite(engine)
  stepKeysSuite(engine)
  approvalSuite(engine)
  approvalChannelSuite(engine)
  approvalTrustSuite(engine)
  approvalValuesSuite(engine)
  retrySuite(engine)
  runLimitSuite(engine)
  defaultsSuite(engine)
  rollbackSuite(engine)
  skipSuite(engine)
  stepsSuite(engine)
  reevaluationSuite(engine)
}
