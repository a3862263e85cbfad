/** Tells of a run that is set aside: it waits until the code fits what is stored of it, or until somebody ends it. */
import * as Effect from "effect/Effect"
import { Alert } from "../../../Alert.ts"
import { Alerter } from "../../../Alerter.ts"
import { CurrentWords, wordsOf } from "../../../internal/alerts/words.ts"
import { english } from "../../../internal/text/alertWords.ts"
import * as Writer from "../../../internal/text/writer.ts"

/** The command that ends such a run. */
const command = "epilogue durable interrupt"

/** Logs it, and posts an alert through the alerter of the pipeline's layer, if that has one. */
export const tellSetAside = (pipelineName: string, runId: string, why: string): Effect.Effect<void> =>
  Effect.andThen(
    Writer.logError(
      `effect-epilogue: run ${runId} of ${JSON.stringify(pipelineName)} is set aside: ${
        english.setAsideUntil(why, command)
      }`
    ),
    Effect.gen(function*() {
      const alerter = yield* Effect.serviceOption(Alerter)
      if (alerter._tag === "None") return
      const words = wordsOf(alerter.value) ?? (yield* CurrentWords)
      yield* Effect.timeoutOption(
        alerter.value.post(
          Alert.make({
            title: words.setAside(pipelineName),
            body: words.setAsideUntil(why, command),
            severity: "error",
            fields: [{ name: words.setAsideRun, value: runId }],
            dedupeKey: `${pipelineName}/set-aside/${runId}`,
            idempotencyKey: `${runId}/set-aside/${why}`
          })
        ),
        "30 seconds"
      )
    })
  ).pipe(Effect.catchCause((cause) => Writer.logError("effect-epilogue: the alert of it did not arrive", cause)))
