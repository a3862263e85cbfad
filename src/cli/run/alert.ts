/**
 * `epilogue alert`: sends an alert through the alerter of a config file, tests each place that its alerts go to, and
 * delivers what its stores keep. A bundle of its own, like that of `run.ts`.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import type { ConfigFile } from "../../config/index.ts"
import type { Leaf } from "../../config/internal/apply/alerter.ts"
import { inLanguage } from "../../config/internal/apply/language.ts"
import type { AlerterSpec } from "../../config/internal/schema/alerter.ts"
import { storesOf, targetsOf } from "../../config/internal/schema/alerterParts.ts"
import { posted } from "../../internal/alerts/alerter.ts"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import { localTimeHere } from "../../internal/text/localTime.ts"
import { plural } from "../../internal/text/words.ts"
import { type AlertRequest, ExitCode } from "../request.ts"
import type { AlerterFile } from "../supervise/config.ts"
import { alerterOf, fail, ledgerOf, noStore, reported } from "./alerterFile.ts"
import { alertOf, checked } from "./alertInput.ts"
import { Report } from "./alertReport.ts"
import { session } from "./session.ts"
import { type Kept, reasonOf } from "./watching.ts"

/** How long a post may take, with all its attempts. A mailbox then has another minute. */
const patience = "1 minute"

/** Performs the command, and returns its exit code. */
export const alert = (request: AlertRequest): Promise<number> =>
  session({ ...request, progress: "none" }, (session) =>
    Effect.gen(function*() {
      session.messages.interrupt = "giving up"
      const { given, issues } = checked(request)
      const file = yield* Effect.result(alerterOf(request))
      const made = request.flush
        ? undefined
        : yield* Effect.result(alertOf(request, given, session.redact))
      const all = [
        ...issues,
        ...(made?._tag === "Failure" ? made.failure : []),
        ...(file._tag === "Failure" ? file.failure : [])
      ]
      if (all.length > 0 || file._tag === "Failure" || made?._tag === "Failure") {
        return yield* fail(request.config ?? "the command line", all)
      }
      const report = new Report(session, file.success.decoded)
      if (made === undefined) return yield* flush(file.success, report)
      return yield* request.test
        ? test(file.success, made.success, report)
        : send(file.success, made.success, report)
    }))

// -----------------------------------------------------------------------------
// what the command does
// -----------------------------------------------------------------------------

/** Posts an alert within the time limit. The ledger learns whether it failed. */
const post = (alert: Alert, alerter: Alerter.Shape) => Effect.exit(Effect.timeout(posted(alert, alerter), patience))

/** Sends an alert through the alerter, with all its policies. */
const send = (file: AlerterFile, alert: Alert, report: Report) =>
  Effect.gen(function*() {
    const { isLost, keepers } = yield* reported(file, report, (alerter) => Effect.asVoid(post(alert, alerter)))
    if (isLost) return ExitCode.alertLost
    if (report.hasArrived(({ idempotencyKey }) => idempotencyKey === alert.idempotencyKey)) return ExitCode.success
    const by = [...keepers]
    if (by.length > 0) {
      report.print(`kept by ${by.join(", ")} for later: epilogue alert --flush posts it once it is due`, {
        _tag: "AlertKept",
        by
      })
    } else {
      report.print("sent nowhere: a policy of the alerter has dropped it, or counts it as a repeat", {
        _tag: "AlertDropped"
      })
    }
    return ExitCode.success
  })

/** Sends an alert through each place that alerts go to, past the policies. Of a Layer that several places name, once. */
const test = (file: AlerterFile, alert: Alert, report: Report) =>
  Effect.gen(function*() {
    const leaves = new Map<ConfigFile.FileAlerter, Leaf>()
    yield* Effect.catch(
      file.build({
        wraps: {
          leaf: (layer, leaf) => {
            if (!leaves.has(layer)) leaves.set(layer, leaf)
            return layer
          }
        }
      }),
      (issues) => fail(file.decoded.file, issues)
    )
    const tried = ([layer, leaf]: readonly [ConfigFile.FileAlerter, Leaf]) =>
      Effect.map(trial(inLanguage(layer, file.decoded.document.language), alert), (why) => ({ leaf, alert, why }))
    const posts = yield* Effect.forEach(leaves, tried, { concurrency: "unbounded" })
    posts.forEach(report.add)
    report.printPosts()
    return report.hasFailed ? ExitCode.alertLost : ExitCode.success
  })

/** Posts an alert to an alerter, and returns why it did not arrive. */
const trial = (layer: ConfigFile.FileAlerter, alert: Alert) =>
  Effect.gen(function*() {
    const { ledger, lost } = ledgerOf()
    const exit = yield* Layer.build(Layer.fresh(layer)).pipe(
      Effect.flatMap((context) => post(alert, Context.get(context, Alerter))),
      Effect.scoped,
      Effect.provideService(CurrentLedger, ledger),
      Effect.exit
    )
    // it can't be built
    if (exit._tag === "Failure") return reasonOf(exit.cause)
    const [first] = lost
    return first === undefined ? undefined : reasonOf(Cause.fail(first.error))
  })

/** Delivers what the stores of the alerter keep and is due, which it does whenever it is built and closed. */
const flush = (file: AlerterFile, report: Report) =>
  Effect.gen(function*() {
    const { decoded } = file
    // a cast, since the public type is wider than the Schema that has decoded the value
    const spec = decoded.document.alerter as AlerterSpec
    if (storesOf(spec).length === 0 && targetsOf(spec).every((target) => "channel" in target)) {
      return yield* fail(decoded.file, noStore(decoded, "a store, in which policies keep alerts"))
    }
    const { isLost, kept } = yield* reported(file, report)
    printKept(report, kept)
    return isLost || report.hasFailed ? ExitCode.alertLost : ExitCode.success
  })

const printKept = (report: Report, { count, due, open }: Kept): void => {
  const at = due === undefined ? undefined : DateTime.makeUnsafe(due)
  report.print(
    count === 0
      ? "no alert is kept"
      : `${plural(count, "alert")} kept${at === undefined ? "" : `, the first until ${localTimeHere(at)}`}`,
    { _tag: "AlertsKept", by: "store", count, due: at === undefined ? undefined : DateTime.formatIso(at) }
  )
  if (open > 0) report.print(`${plural(open, "failure")} open: see epilogue ack`, { _tag: "FailuresOpen", count: open })
}
