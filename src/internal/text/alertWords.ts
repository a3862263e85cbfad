/** The words that the library says in alerts, which users can replace, and the English ones. */
import { type DurationPart, partsText } from "./duration.ts"
import { notEndedBy, stillRunning } from "./overdueText.ts"
import { count as number, plural } from "./words.ts"

/**
 * The kinds that alerts are counted by. `more` were held back before by another policy.
 *
 * @category models
 * @since 0.1.0
 */
export type AlertKind = "critical" | "error" | "warning" | "recovered" | "success" | "info" | "more"

/**
 * The words that the library itself says in alerts: titles, sentences, and the names of fields.
 *
 * **Details**
 *
 * A `subject` is a step with its path, or a pipeline: `nightly › load`. Times, tallies, durations and lists come as
 * text that has been made with this table. Texts of errors, stack traces and names are no part of it.
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
  /** The title of a success: `nightly › load succeeded`. */
  readonly succeeded: (subject: string) => string
  /** The title of a failure: `nightly › load failed`. */
  readonly failed: (subject: string) => string
  /** The title of an interruption: `nightly › load was interrupted`. */
  readonly interrupted: (subject: string) => string
  /** The title of a skip: `nightly › load was skipped`. */
  readonly skipped: (subject: string) => string
  /** The title of a step whose question was denied: `nightly › roll-out not approved`. */
  readonly notApproved: (subject: string) => string
  /** The title of a step whose question nobody answered: `nightly › roll-out not approved in time`. */
  readonly notApprovedInTime: (subject: string) => string
  /** The end of what was overdue. */
  readonly endedAfter: (subject: string, duration: string) => string
  /** The title of what is overdue: `nightly › load still running after 2 h`. */
  readonly stillRunning: (subject: string, duration: string) => string
  /** `time` is a time of day with its zone. */
  readonly notEndedBy: (subject: string, time: string) => string
  /** The title of a recovery: `nightly › load recovered`. */
  readonly recovered: (subject: string) => string
  /** The title of a recovery of an alert that is about no step or run, by the title of that. */
  readonly recoveredTitle: (title: string) => string
  /** The title for a process that ended in the middle of a run or step: `nightly crashed`. */
  readonly crashed: (subject: string) => string
  /** The same, after a failure that had not been told: `nightly failed, then crashed`. */
  readonly failedThenCrashed: (subject: string) => string
  /** The title of a job that could not begin: `nightly could not begin`. */
  readonly couldNotBegin: (name: string) => string
  /** The title of a failure before or after the runs of a job: `nightly failed outside of its runs`. */
  readonly failedOutsideOfRuns: (name: string) => string
  /** The title of a durable run that does not fit the code: `Run of nightly is set aside`. */
  readonly setAside: (pipeline: string) => string
  /** Says why a durable run is set aside, and what can be done about it. */
  readonly setAsideUntil: (why: string, command: string) => string

  // the summary of a run
  /** The title of a summary, of the title of the run's alert and the steps. */
  readonly summary: (title: string, steps: string) => string
  /** The title of the summary of a run that succeeded although steps failed. */
  readonly summaryThough: (title: string, steps: string) => string
  /** A number of steps: `12 steps`. */
  readonly steps: (count: number) => string
  /** `over`: all that failed have succeeded since. */
  readonly failedOfSteps: (failed: number, steps: number, over: boolean) => string
  /** A number of steps that succeeded: `11 succeeded`. */
  readonly stepsSucceeded: (count: number) => string
  /** `over` is the number of failures after which the same step succeeded. */
  readonly stepsFailed: (count: number, over: number) => string
  /** A number of steps that were interrupted: `1 interrupted`. */
  readonly stepsInterrupted: (count: number) => string
  /** A number of steps that were skipped: `2 skipped`. */
  readonly stepsSkipped: (count: number) => string

  // alerts that stand for others
  /** The title of a digest: `5 alerts: 3 failed, 2 recovered`. */
  readonly digest: (count: number, tally: string) => string
  /** The title of a digest of a window: `5 alerts in 10 min: 3 failed, 2 recovered`. */
  readonly digestWithin: (count: number, duration: string, tally: string) => string
  /** The title of a digest of quiet hours: `5 alerts in quiet hours: 5 failed`. */
  readonly digestOfQuietHours: (count: number, tally: string) => string
  /** The title of an alert that stands for others like it, or for others. */
  readonly andOthers: (title: string, count: number, alike: boolean) => string
  /** The title of what a limit held back: `5 alerts held back: 5 failed`. */
  readonly alertsHeldBack: (count: number, tally: string) => string
  /** The title of the repeats that were held back: `5 repeats held back: 5 failed`. */
  readonly repeatsHeldBack: (count: number, tally: string) => string
  /** `duration` is how long that was ago, unless it was just now. */
  readonly heldBackSince: (time: string, duration: string | undefined) => string
  /** The field `held back` of an alert that stands for others: `4 more like it`. */
  readonly moreLikeIt: (count: number) => string
  /** The same, with the time of the first: `4 more like it since 14:00 UTC`. */
  readonly moreLikeItSince: (count: number, time: string) => string
  /** The same for other subjects, whose names it lists: `4 alerts since 14:00 UTC: load, store`. */
  readonly alertsSince: (count: number, time: string, names: string) => string
  /** The name of the alerts that are counted together since there are too many subjects. */
  readonly otherSubjects: string
  /** The field `in a row` of a failure after others: `3 failures since 14:00 UTC`. */
  readonly failuresInARow: (count: number, time: string) => string

  // failures that are open
  /** The title of a reminder, of that of the failure. */
  readonly reminderOf: (number: number, title: string) => string
  /** `of` is how many reminders there will be, if that is known. */
  readonly reminderNumber: (number: number, of: number | undefined, isLast: boolean) => string
  /** The title of an escalation, of that of the failure: `Escalated: nightly › load failed`. */
  readonly escalated: (title: string) => string
  /** The title of an acknowledgement: `Acknowledged by Ada: nightly › load failed`. */
  readonly acknowledgedBy: (person: string, title: string) => string
  /** How often people have been told: `3 times`. */
  readonly toldTimes: (count: number) => string

  // processes that ended
  /** How a process ended that exited: `exit code 1`. */
  readonly exitCodeIs: (code: number | undefined) => string
  /** How a process ended that a signal killed: `killed by SIGKILL`. */
  readonly killedBy: (signal: string) => string
  /** How a process ended that had no memory left. `how` is one of the two before. */
  readonly outOfMemory: (how: string) => string
  /** `how` is one of the three before, as in the next ones. */
  readonly endedHowAfter: (how: string, duration: string) => string
  /** Says of a process that it ended before its run: `exit code 1 after 2 s, before its run began`. */
  readonly endedHowBeforeRun: (how: string, duration: string) => string
  /**
   * Says of a process that it ended before an alert was delivered: `exit code 1 before an alert of that was delivered`.
   */
  readonly endedHowBeforeAlert: (how: string) => string
  /** Says of a process that somebody has stopped it: `stopped by SIGTERM after 2 min`. */
  readonly stoppedBy: (signal: string, duration: string) => string
  /** Of an alert that a policy had held back when the process ended. */
  readonly heldBackBy: (policy: string, how: string) => string
  /** Of an alert that was on its way to a channel, if that is known. */
  readonly underWay: (channel: string | undefined, how: string) => string
  /** The title of alerts that are lost with a process: `3 alerts not posted before the process ended`. */
  readonly notPosted: (count: number) => string
  /** The same, with their kinds: `3 alerts not posted before the process ended: 3 failed`. */
  readonly digestNotPosted: (count: number, tally: string) => string
  /** Says how many durable runs a process leaves, which another continues. `count` may be 0. */
  readonly runsUnderWay: (count: number) => string
  /** `steps` are the names of those that were running, if any. */
  readonly runIn: (runId: string, steps: string | undefined) => string
  /** Says of a process that it answers no longer, as one that was suspended. */
  readonly notResponding: string

  // names of fields
  /** The field with the name of the pipeline. */
  readonly pipeline: string
  /** The field with the name of the run. */
  readonly run: string
  /** The field with the name of the step. */
  readonly step: string
  /** The field with the number of the attempt, after a retry. */
  readonly attempt: string
  /** The field with the time that a step or run took. */
  readonly tookTime: string
  /** The field with the names of the steps that failed. */
  readonly failedSteps: (count: number) => string
  /** The steps whose rollback hooks have run, and those of which one has failed. */
  readonly undone: string
  /** The steps whose rollback hooks have failed, with the reasons. */
  readonly notUndone: string
  /** The name of an error's field that is named as another field of the alert. */
  readonly errorsField: (name: string) => string
  /** The field with the time for which it has been running. */
  readonly runningFor: string
  /** The field with the time at which it began. */
  readonly since: string
  /** The field with the deadline that has passed. */
  readonly deadline: string
  /** The field with the time limit of what is overdue. */
  readonly limit: string
  /** The field with the names of the steps that are running. */
  readonly running: string
  /** The field of a summary with the numbers of steps by their ends. */
  readonly stepCounts: string
  /** The field of a summary with the steps that took longest. */
  readonly slowest: string
  /** The field of a digest with the time of its first alert. */
  readonly first: string
  /** The field of a digest with the time of its last alert. */
  readonly last: string
  /** The field with the alerts that were held back before this one. */
  readonly heldBack: string
  /** The field with the names of files that are not attached. */
  readonly notAttached: string
  /** The field with the number of alerts that are counted, but not shown. */
  readonly notShown: string
  /** The field with the failures before this one. */
  readonly inARow: string
  /** The field with the reason for which another alerter has not delivered it. */
  readonly notDeliveredBy: string
  /** The field of a recovery with the number of failures before it. */
  readonly failures: string
  /** The field of a recovery with the time of the first failure. */
  readonly failingSince: string
  /** The field with the time for which it has been failing. */
  readonly failingFor: string
  /** The field of a reminder with the time of the first failure. */
  readonly openSince: string
  /** The field of a reminder that says how often people have been told. */
  readonly told: string
  /** The field of a reminder with the command that acknowledges it. */
  readonly toAcknowledge: string
  /** The field of a reminder with its number. */
  readonly reminder: string
  /** The field with the path of the config file. */
  readonly configFile: string
  /** The field with the exit code of a process. */
  readonly exitCode: string
  /** The field with the signal that has ended a process. */
  readonly signal: string
  /** The field with the step that ended last before a crash. */
  readonly lastStep: string
  /** The field of an alert that is posted again since it may not have arrived. */
  readonly repeated: string
  /** The field with the number of runs that are not listed. */
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
  critical: (count) => `${number(count)} critical`,
  error: (count) => `${number(count)} failed`,
  warning: (count) => plural(count, "warning"),
  recovered: (count) => `${number(count)} recovered`,
  success: (count) => `${number(count)} succeeded`,
  info: (count) => `${number(count)} info`,
  more: (count) => `${number(count)} held back before`
}

/** The English words, which are used unless others are set. */
export const english: Words = {
  duration: partsText,
  alerts: (count) => plural(count, "alert"),
  alertsOfKind: (kind, count) => kinds[kind](count),
  runs: (count) => plural(count, "run"),
  fileSize: (bytes) => bytes < 1000 ? `${bytes} bytes` : `${Math.ceil(bytes / 1000)} kB`,
  andMore: (count) => `… and ${number(count)} more`,
  moreFields: (count) => `and ${number(count)} more`,
  andMoreNoWorse: (count) => `… and ${number(count)} more, none of them worse`,
  moreOfPath: (count) => `… ${number(count)} more`,
  namesAndMore: (names, count) => `${names} and ${number(count)} more`,

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
    `${number(failed)} of ${plural(steps, "step")} failed${over ? " and succeeded since" : ""}`,
  stepsSucceeded: (count) => `${number(count)} succeeded`,
  stepsFailed: (count, over) => `${number(count)} failed${over === 0 ? "" : ` (${number(over)} succeeded since)`}`,
  stepsInterrupted: (count) => `${number(count)} interrupted`,
  stepsSkipped: (count) => `${number(count)} skipped`,

  digest: (count, tally) => `${plural(count, "alert")}: ${tally}`,
  digestWithin: (count, duration, tally) => `${plural(count, "alert")} in ${duration}: ${tally}`,
  digestOfQuietHours: (count, tally) => `${plural(count, "alert")} in quiet hours: ${tally}`,
  andOthers: (title, count, alike) => `${title}, and ${number(count)} more${alike ? " like it" : ""}`,
  alertsHeldBack: (count, tally) => `${plural(count, "alert")} held back: ${tally}`,
  repeatsHeldBack: (count, tally) => `${plural(count, "repeat")} held back: ${tally}`,
  heldBackSince: (time, duration) => `Since ${time}${duration === undefined ? "" : `, in ${duration}`}.`,
  moreLikeIt: (count) => `${number(count)} more like it`,
  moreLikeItSince: (count, time) => `${number(count)} more like it since ${time}`,
  alertsSince: (count, time, names) => `${plural(count, "alert")} since ${time}: ${names}`,
  otherSubjects: "others",
  failuresInARow: (count, time) => `${number(count)} failures since ${time}`,

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
