/** The words that the library says in alerts, which users can replace, and the English ones. */
import { type DurationPart, partsText } from "./duration.ts"
import { notEndedBy, stillRunning } from "./overdueText.ts"
import { plural } from "./words.ts"

/** The kinds that alerts are counted by. `more` were held back before by another policy. */
export type AlertKind = "critical" | "error" | "warning" | "recovered" | "success" | "info" | "more"

/**
 * The words that the library itself says in alerts: titles, sentences, and the names of fields.
 *
 * **Details**
 *
 * A `subject` is a step with its path, or a pipeline: `nightly › load`. Times, tallies, durations and lists come as text that
 * has been made with this table. Texts of errors, stack traces and names are no part of it.
 *
 * @see `Alerter.words` for using a table
 *
 * @category models
 * @since 0.1.0
 */
export interface Words {
  /** A duration of at most two units, the larger one first: `1 h 30 min`. A count below a minute may have one decimal. */
  readonly duration: (parts: ReadonlyArray<DurationPart>) => string
  /** A number of alerts: `3 alerts`. */
  readonly alerts: (count: number) => string
  /** A number of alerts of one kind, as part of a tally: `2 failed`. */
  readonly alertsOfKind: (kind: AlertKind, count: number) => string
  /** A number of runs: `2 runs`. */
  readonly runs: (count: number) => string
  /** The size of a file: `800 bytes`, or `12 kB` from 1,000 on. */
  readonly fileSize: (bytes: number) => string
  /** The end of a list that was cut: `… and 3 more`. */
  readonly andMore: (count: number) => string
  /** The value of a field `…` that stands for others: `and 3 more`. */
  readonly moreFields: (count: number) => string
  /** The end of a list from which the least severe were left out. */
  readonly andMoreNoWorse: (count: number) => string
  /** The middle of a path that was cut: `… 3 more`. */
  readonly moreOfPath: (count: number) => string
  /** The list of names after which others were left out: `load, store and 3 more`. */
  readonly namesAndMore: (names: string, count: number) => string

  // how steps and runs ended
  readonly succeeded: (subject: string) => string
  readonly failed: (subject: string) => string
  readonly interrupted: (subject: string) => string
  readonly skipped: (subject: string) => string
  readonly notApproved: (subject: string) => string
  readonly notApprovedInTime: (subject: string) => string
  /** The end of what was overdue. */
  readonly endedAfter: (subject: string, duration: string) => string
  readonly stillRunning: (subject: string, duration: string) => string
  /** `time` is a time of day with its zone. */
  readonly notEndedBy: (subject: string, time: string) => string
  readonly recovered: (subject: string) => string
  /** The title of a recovery of an alert that is about no step or run, by the title of that. */
  readonly recoveredTitle: (title: string) => string
  readonly crashed: (subject: string) => string
  readonly failedThenCrashed: (subject: string) => string
  readonly couldNotBegin: (name: string) => string
  readonly failedOutsideOfRuns: (name: string) => string
  readonly setAside: (pipeline: string) => string
  /** Says why a durable run is set aside, and what can be done about it. */
  readonly setAsideUntil: (why: string, command: string) => string

  // the summary of a run
  /** The title of a summary, of the title of the run's alert and the steps. */
  readonly summary: (title: string, steps: string) => string
  /** The title of the summary of a run that succeeded although steps failed. */
  readonly summaryThough: (title: string, steps: string) => string
  readonly steps: (count: number) => string
  /** `over`: all that failed have succeeded since. */
  readonly failedOfSteps: (failed: number, steps: number, over: boolean) => string
  readonly stepsSucceeded: (count: number) => string
  /** `over` is the number of failures after which the same step succeeded. */
  readonly stepsFailed: (count: number, over: number) => string
  readonly stepsInterrupted: (count: number) => string
  readonly stepsSkipped: (count: number) => string

  // alerts that stand for others
  readonly digest: (count: number, tally: string) => string
  readonly digestWithin: (count: number, duration: string, tally: string) => string
  readonly digestOfQuietHours: (count: number, tally: string) => string
  /** The title of an alert that stands for others like it, or for others. */
  readonly andOthers: (title: string, count: number, alike: boolean) => string
  readonly alertsHeldBack: (count: number, tally: string) => string
  readonly repeatsHeldBack: (count: number, tally: string) => string
  /** `duration` is how long that was ago, unless it was just now. */
  readonly heldBackSince: (time: string, duration: string | undefined) => string
  readonly moreLikeIt: (count: number) => string
  readonly moreLikeItSince: (count: number, time: string) => string
  readonly alertsSince: (count: number, time: string, names: string) => string
  /** The name of the alerts that are counted together since there are too many subjects. */
  readonly otherSubjects: string
  readonly failuresInARow: (count: number, time: string) => string

  // failures that are open
  /** The title of a reminder, of that of the failure. */
  readonly reminderOf: (number: number, title: string) => string
  /** `of` is how many reminders there will be, if that is known. */
  readonly reminderNumber: (number: number, of: number | undefined, isLast: boolean) => string
  readonly escalated: (title: string) => string
  readonly acknowledgedBy: (person: string, title: string) => string
  /** How often people have been told: `3 times`. */
  readonly toldTimes: (count: number) => string

  // processes that ended
  readonly exitCodeIs: (code: number | undefined) => string
  readonly killedBy: (signal: string) => string
  readonly outOfMemory: (how: string) => string
  /** `how` is one of the three before, as in the next ones. */
  readonly endedHowAfter: (how: string, duration: string) => string
  readonly endedHowBeforeRun: (how: string, duration: string) => string
  readonly endedHowBeforeAlert: (how: string) => string
  readonly stoppedBy: (signal: string, duration: string) => string
  /** Of an alert that a policy had held back when the process ended. */
  readonly heldBackBy: (policy: string, how: string) => string
  /** Of an alert that was on its way to a channel, if that is known. */
  readonly underWay: (channel: string | undefined, how: string) => string
  readonly notPosted: (count: number) => string
  readonly digestNotPosted: (count: number, tally: string) => string
  readonly runsUnderWay: (count: number) => string
  /** `steps` are the names of those that were running, if any. */
  readonly runIn: (runId: string, steps: string | undefined) => string
  readonly notResponding: string

  // names of fields
  readonly pipeline: string
  readonly run: string
  readonly step: string
  readonly attempt: string
  readonly tookTime: string
  readonly failedSteps: (count: number) => string
  /** The steps whose rollback hooks have run, and those of which one has failed. */
  readonly undone: string
  readonly notUndone: string
  /** The name of an error's field that is named as another field of the alert. */
  readonly errorsField: (name: string) => string
  readonly runningFor: string
  readonly since: string
  readonly deadline: string
  readonly limit: string
  readonly running: string
  readonly stepCounts: string
  readonly slowest: string
  readonly first: string
  readonly last: string
  readonly heldBack: string
  readonly notAttached: string
  readonly notShown: string
  readonly inARow: string
  readonly notDeliveredBy: string
  readonly failures: string
  readonly failingSince: string
  readonly failingFor: string
  readonly openSince: string
  readonly told: string
  readonly toAcknowledge: string
  readonly reminder: string
  readonly configFile: string
  readonly exitCode: string
  readonly signal: string
  readonly lastStep: string
  readonly repeated: string
  readonly more: string
  /** The id of a run that is set aside. */
  readonly setAsideRun: string
  /** An address that can't be opened. */
  readonly link: string

  // in channels
  /** Above the last lines that a step has logged. */
  readonly lastLines: string
  /** The label of the address of an alert. */
  readonly open: string
  /** The name of the address of an alert where it is shown as text. */
  readonly address: string
  /** Before the name of a file in a mail. */
  readonly attached: (name: string) => string
}

/** The numbers of alerts of each kind in English. */
const kinds: Readonly<Record<AlertKind, (count: number) => string>> = {
  critical: (count) => `${count} critical`,
  error: (count) => `${count} failed`,
  warning: (count) => plural(count, "warning"),
  recovered: (count) => `${count} recovered`,
  success: (count) => `${count} succeeded`,
  info: (count) => `${count} info`,
  more: (count) => `${count} held back before`
}

/** The English words, which are used unless others are set. */
export const english: Words = {
  duration: partsText,
  alerts: (count) => plural(count, "alert"),
  alertsOfKind: (kind, count) => kinds[kind](count),
  runs: (count) => plural(count, "run"),
  fileSize: (bytes) => bytes < 1000 ? `${bytes} bytes` : `${Math.ceil(bytes / 1000)} kB`,
  andMore: (count) => `… and ${count} more`,
  moreFields: (count) => `and ${count} more`,
  andMoreNoWorse: (count) => `… and ${count} more, none of them worse`,
  moreOfPath: (count) => `… ${count} more`,
  namesAndMore: (names, count) => `${names} and ${count} more`,

  succeeded: (subject) => `${subject} succeeded`,
  failed: (subject) => `${subject} failed`,
  interrupted: (subject) => `${subject} was interrupted`,
  skipped: (subject) => `${subject} was skipped`,
  notApproved: (subject) => `${subject} not approved`,
  notApprovedInTime: (subject) => `${subject} not approved in time`,
  endedAfter: (subject, duration) => `${subject} ended after ${duration}`,
  stillRunning: (subject, duration) => `${subject} ${stillRunning(duration)}`,
  notEndedBy: (subject, time) => `${subject} ${notEndedBy(time)}`,
  recovered: (subject) => `${subject} recovered`,
  recoveredTitle: (title) => `Recovered: ${title}`,
  crashed: (subject) => `${subject} crashed`,
  failedThenCrashed: (subject) => `${subject} failed, then crashed`,
  couldNotBegin: (name) => `${name} could not begin`,
  failedOutsideOfRuns: (name) => `${name} failed outside of its runs`,
  setAside: (pipeline) => `Run of ${pipeline} is set aside`,
  setAsideUntil: (why, command) =>
    `${why}. It goes on at the next start with code that this fits, or ends with "${command}".`,

  summary: (title, steps) => `${title}: ${steps}`,
  summaryThough: (title, steps) => `${title}, though ${steps}`,
  steps: (count) => plural(count, "step"),
  failedOfSteps: (failed, steps, over) =>
    `${failed} of ${plural(steps, "step")} failed${over ? " and succeeded since" : ""}`,
  stepsSucceeded: (count) => `${count} succeeded`,
  stepsFailed: (count, over) => `${count} failed${over === 0 ? "" : ` (${over} succeeded since)`}`,
  stepsInterrupted: (count) => `${count} interrupted`,
  stepsSkipped: (count) => `${count} skipped`,

  digest: (count, tally) => `${plural(count, "alert")}: ${tally}`,
  digestWithin: (count, duration, tally) => `${plural(count, "alert")} in ${duration}: ${tally}`,
  digestOfQuietHours: (count, tally) => `${plural(count, "alert")} in quiet hours: ${tally}`,
  andOthers: (title, count, alike) => `${title}, and ${count} more${alike ? " like it" : ""}`,
  alertsHeldBack: (count, tally) => `${plural(count, "alert")} held back: ${tally}`,
  repeatsHeldBack: (count, tally) => `${plural(count, "repeat")} held back: ${tally}`,
  heldBackSince: (time, duration) => `Since ${time}${duration === undefined ? "" : `, in ${duration}`}.`,
  moreLikeIt: (count) => `${count} more like it`,
  moreLikeItSince: (count, time) => `${count} more like it since ${time}`,
  alertsSince: (count, time, names) => `${plural(count, "alert")} since ${time}: ${names}`,
  otherSubjects: "others",
  failuresInARow: (count, time) => `${count} failures since ${time}`,

  reminderOf: (number, title) => `Reminder ${number}: ${title}`,
  reminderNumber: (number, of, isLast) =>
    `${number}${of === undefined ? "" : ` of ${of}`}${isLast ? ", the last" : ""}`,
  escalated: (title) => `Escalated: ${title}`,
  acknowledgedBy: (person, title) => `Acknowledged by ${person}: ${title}`,
  toldTimes: (count) => plural(count, "time"),

  exitCodeIs: (code) => `exit code ${code}`,
  killedBy: (signal) => `killed by ${signal}`,
  outOfMemory: (how) => `out of memory, ${how}`,
  endedHowAfter: (how, duration) => `${how} after ${duration}`,
  endedHowBeforeRun: (how, duration) => `${how} after ${duration}, before its run began`,
  endedHowBeforeAlert: (how) => `${how} before an alert of that was delivered`,
  stoppedBy: (signal, duration) => `stopped by ${signal} after ${duration}`,
  heldBackBy: (policy, how) => `held back by ${policy} when the process ended (${how})`,
  underWay: (channel, how) =>
    `under way${channel === undefined ? "" : ` to ${channel}`} when the process ended (${how}): may have arrived`,
  notPosted: (count) => `${plural(count, "alert")} not posted before the process ended`,
  digestNotPosted: (count, tally) => `${plural(count, "alert")} not posted before the process ended: ${tally}`,
  runsUnderWay: (count) =>
    count === 0
      ? "No run was under way"
      : `${plural(count, "run")} under way: goes on when a process runs what is in the database`,
  runIn: (runId, steps) => `run ${runId}${steps === undefined ? "" : `, in ${steps}`}`,
  notResponding: "its process does not respond: it is stopped, or its thread is blocked",

  pipeline: "pipeline",
  run: "run",
  step: "step",
  attempt: "attempt",
  tookTime: "duration",
  failedSteps: (count) => count === 1 ? "failed step" : "failed steps",
  undone: "undone",
  notUndone: "not undone",
  errorsField: (name) => `error's ${name}`,
  runningFor: "running for",
  since: "since",
  deadline: "deadline",
  limit: "limit",
  running: "running",
  stepCounts: "steps",
  slowest: "slowest",
  first: "first",
  last: "last",
  heldBack: "held back",
  notAttached: "not attached",
  notShown: "not shown",
  inARow: "in a row",
  notDeliveredBy: "not delivered by",
  failures: "failures",
  failingSince: "failing since",
  failingFor: "for",
  openSince: "open since",
  told: "told",
  toAcknowledge: "to acknowledge",
  reminder: "reminder",
  configFile: "config",
  exitCode: "exit code",
  signal: "signal",
  lastStep: "last step",
  repeated: "repeated",
  more: "more",
  setAsideRun: "Run",
  link: "link",

  lastLines: "last lines logged:",
  open: "Open",
  address: "open",
  attached: (name) => `Attached: ${name}`
}
