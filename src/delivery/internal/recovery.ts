/** Makes the alert that says that failures are over. */
import type { Alert } from "../../Alert.ts"
import type { Telling } from "../../internal/alerts/digest.ts"
import { english } from "../../internal/text/alertWords.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { subjectText } from "../../internal/text/stepLabel.ts"
import { withFields } from "./entries.ts"
import { timeIn } from "./hold/count.ts"

/** The failures that are over. There are none where only an interruption, or what was overdue, is to be recovered from. */
interface Outage {
  readonly failures: number
  readonly since: number
  /** The failures that were delivered, by which the recovery finds their channels. */
  readonly alerts: ReadonlyArray<Alert>
  /** The places that know of the recovery. */
  readonly told: ReadonlyArray<string>
}

/** Returns the recovery that a success is. */
export const recovery = (
  alert: Alert,
  { alerts, failures, since, told }: Outage,
  at: number,
  { words, zone }: Telling
): Alert => {
  const about = nameOf(alert)
  const title = about === undefined ? words.recoveredTitle(alert.title) : words.recovered(about)
  // A title that the user has set is kept in the body: it says more than that the step succeeded.
  const isOwn = about !== undefined && [words, english].every(({ succeeded }) => alert.title !== succeeded(about))
  const ownTitle = isOwn ? [alert.title] : []
  const body = [...ownTitle, ...(alert.body === undefined ? [] : [alert.body])].join("\n")
  return withFields(
    alert.with({
      title,
      body: body === "" ? undefined : body,
      tags: [...alert.tags, "recovered"],
      quiet: false,
      recovers: alerts,
      told
    }),
    failures === 0 ? {} : {
      [words.failures]: String(failures),
      [words.failingSince]: timeIn(since, zone),
      [words.failingFor]: formatDuration(Math.max(0, at - since), words.duration)
    }
  )
}

/** Returns the name of the step or run as the standard hooks write it. */
const nameOf = ({ source }: Alert): string | undefined => source === undefined ? undefined : subjectText(source)
