/** Makes the alerts about a step or a run that is overdue, and about its end. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Alert, type Field } from "../../Alert.ts"
import type { StepContext } from "../../StepContext.ts"
import { evaluatedIn, type Occurrence } from "../model/occurrence.ts"
import type { Overdue } from "../model/overdue.ts"
import { posting } from "../model/posting.ts"
import { runningIn } from "../model/running.ts"
import type { Words } from "../text/alertWords.ts"
import { formatDuration } from "../text/duration.ts"
import { localTime } from "../text/localTime.ts"
import { deadlineText } from "../text/overdueText.ts"
import { subjectKey, subjectText } from "../text/stepLabel.ts"
import { listed } from "./failedSteps.ts"
import { droppedBy } from "./metrics.ts"
import { overdueTag } from "./notices.ts"
import { aboutContext, withLastLines } from "./outcomeAlert.ts"

/** Returns the alert of a step or a run that is still running. */
export const overdueAlert = (
  context: StepContext.Shape,
  { deadline, elapsed, limit, startedAt, times }: Overdue,
  zone: DateTime.TimeZone,
  words: Words
): Alert => {
  const evaluation = evaluatedIn(context)
  const millis = Duration.toMillis(elapsed)
  const text = (millis: number) => formatDuration(millis, words.duration)
  const { fields, source } = aboutContext(context, words, [
    { name: words.runningFor, value: text(millis) },
    { name: words.since, value: localTime(startedAt, zone) },
    ...(deadline !== undefined
      ? [{ name: words.deadline, value: localTime(deadline, deadline.zone) }]
      : times > 1
      ? [{ name: words.limit, value: text(Duration.toMillis(limit)) }]
      : []),
    ...runningField(evaluation, DateTime.toEpochMillis(startedAt) + millis, words)
  ])
  return Alert.make({
    title: deadline === undefined
      ? words.stillRunning(subjectText(source), text(millis))
      : words.notEndedBy(subjectText(source), deadlineText(DateTime.formatIsoZoned(deadline))),
    severity: "warning",
    fields,
    detail: withLastLines(undefined, evaluation, words),
    // that of its failure, too: an incident of a step that is late and then fails is one
    dedupeKey: subjectKey(source),
    tags: [overdueTag],
    source
  })
}

/** Returns the field that names the innermost steps that are running in a run, or in a step. */
const runningField = (evaluation: Occurrence | undefined, now: number, words: Words): ReadonlyArray<Field> => {
  const names = evaluation === undefined ? [] : runningIn(evaluation, now, words.duration)
  return names.length === 0 ? [] : [{ name: words.running, value: listed(names, words) }]
}

/** Turns the alert of a success into that of the end of what was overdue, which goes where that was told. */
export const endedAlert = (success: Alert, overdue: Alert, millis: number, words: Words): Alert =>
  success.with({
    title: success.source === undefined
      ? success.title
      : words.endedAfter(subjectText(success.source), formatDuration(millis, words.duration)),
    tags: [...success.tags, overdueTag],
    recovers: [overdue.with({ detail: undefined, attachments: [], recovers: [] })]
  })

/** Calls back when people have been told of an alert, or will be: not of one that failed, or that a policy dropped. */
export const onTold = <E, R>(post: Effect.Effect<unknown, E, R>, told: () => void): Effect.Effect<void, E, R> =>
  posting((posting) =>
    Effect.asVoid(
      Effect.onExit(droppedBy(post), (exit) =>
        Effect.sync(() => {
          if (exit._tag === "Success" ? !exit.value : posting.isOnItsWay) told()
        }))
    )
  )
