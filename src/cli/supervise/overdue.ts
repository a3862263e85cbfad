/**
 * The supervisor's clock for the limits of its child. A child that is stopped, or whose thread is blocked, can't tell that
 * a step is overdue: where it has not some time after a limit, the supervisor does. A child that comes as late leaves it to
 * the supervisor, so that no limit is told twice.
 */
import { Alert, type AlertSource } from "../../Alert.ts"
import { nextTime } from "../../internal/model/overdue.ts"
import { english, type Words } from "../../internal/text/alertWords.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { deadlineText } from "../../internal/text/overdueText.ts"
import { text } from "../../internal/text/redact.ts"
import { labelsOf, placeOf, subjectKey, subjectText } from "../../internal/text/stepLabel.ts"
import { samePath, shortPath } from "../../report/internal/events/shortPath.ts"
import { lasted, list, running } from "./alerts.ts"
import type { Message } from "./protocol.ts"
import { innermost, type OpenRun, type OpenStep, type State } from "./state.ts"

/** How long the supervisor waits after a limit for its child to tell, at most, in milliseconds. */
const longest = 10_000

/** Returns how much longer it waits than the child takes for late: the report of a child in time is under way. */
const slackOf = (patience: number): number => Math.min(1_000, patience / 2)

/** The largest delay of a timer, in milliseconds. */
const maxDelay = 2 ** 31 - 1

/** Returns how late a child may tell of a limit, in milliseconds. The same for both processes. */
export const patienceOf = (
  { every, limitMillis }: { readonly limitMillis: number; readonly every?: number | undefined }
): number => Math.min(longest, Math.max(500, limitMillis / 10), every === undefined ? Infinity : every / 2)

type Of<Tag extends Message["_tag"]> = Extract<Message, { readonly _tag: Tag }>

interface Limit {
  readonly limitMillis: number
  readonly every: number | undefined
  readonly deadline: string | undefined
  /** The start of the body, in milliseconds since 1970. */
  readonly startedAt: number
  /** When it is told next, in milliseconds since 1970. */
  dueAt: number
  /** Whether the child has left the limit to this process, and its event follows. */
  isLeft: boolean
  timer: ReturnType<typeof setTimeout> | undefined
}

/** A step or a run whose body is running in the child. */
interface Watched {
  readonly run: OpenRun
  readonly step: OpenStep | undefined
  readonly limits: Array<Limit>
  /** The latest alert that this process has posted about it, unless the child knows of that. */
  told: InWords | undefined
}

/** The ways in which the supervisor tells. */
export interface Teller {
  readonly say: (line: string) => void
  /** Posts an alert in the words of the alerter, which has yet to be built. `undefined` without an alerter. */
  readonly post: ((alert: InWords) => void) | undefined
}

/** Makes an alert in words. */
type InWords = (words: Words) => Alert

/** Keeps the limits of a child by the child's messages, which {@link State} has received before. */
export class OverdueClock {
  private readonly state: State
  private readonly teller: Teller
  private readonly watched = new Map<string, Watched>()
  /** The alerts of ends that wait until the hooks of the child have run, which may post their own. */
  private ends: Array<{ readonly source: AlertSource; readonly alert: InWords }> = []

  constructor(state: State, teller: Teller) {
    this.state = state
    this.teller = teller
  }

  receive(message: Message): void {
    switch (message._tag) {
      case "OverdueWatched":
        return this.begin(message)
      case "OverdueLeft":
        return this.leave(message)
      case "StepOverdue":
      case "RunOverdue":
        return this.toldByChild(message)
      case "Alerted": {
        const { severity, stepLabels } = message
        if (severity === "success") this.ends = this.ends.filter(({ source }) => !isOf(source, stepLabels))
        return
      }
      case "StepStarted":
        return this.flush()
      case "StepEnded":
        return this.end(message, message.outcome)
      case "StepSkipped":
        return this.end(message, "skip")
      case "RunEnded":
        this.flush()
        this.end(message, message.outcome)
        return this.forget(message.runId)
      case "RunReleased":
        return this.forget(message.runId)
      default:
    }
  }

  /** Stops all timers, and posts what is left to be told. Called when the child has ended. */
  stop(): void {
    for (const watched of this.watched.values()) stop(watched)
    this.watched.clear()
    this.flush()
  }

  private begin(message: Of<"OverdueWatched">): void {
    const { index, runId } = message
    const run = this.state.runs.get(runId)
    const step = index === undefined ? undefined : run?.steps.get(index)
    if (run === undefined || (index !== undefined && step === undefined)) return
    const key = keyOf(message)
    const before = this.watched.get(key)
    if (before !== undefined) stop(before)
    const limits = message.limits.map(({ deadline, dueAt, every, limitMillis }): Limit => ({
      deadline,
      dueAt,
      every,
      limitMillis,
      startedAt: dueAt - limitMillis,
      isLeft: false,
      timer: undefined
    }))
    const watched = { run, step, limits, told: before?.told }
    this.watched.set(key, watched)
    for (const limit of limits) this.wait(watched, limit)
  }

  private wait(watched: Watched, limit: Limit): void {
    const patience = patienceOf(limit)
    const due = limit.dueAt + patience + slackOf(patience)
    limit.timer = setTimeout(() => {
      if (Date.now() < due) this.wait(watched, limit)
      else this.tell(watched, limit)
    }, Math.min(Math.max(0, due - Date.now()), maxDelay))
    // the child keeps this process alive, and its limits do not
    limit.timer.unref()
  }

  private tell(watched: Watched, limit: Limit): void {
    const alert = alertOf(watched, limit)
    watched.told = alert
    this.teller.say(`${alert(english).title}: its process does not respond`)
    this.teller.post?.(alert)
    this.next(watched, limit, Date.now())
  }

  /** Waits for the first time at which it is told after another, if there is one. */
  private next(watched: Watched, limit: Limit, at: number): void {
    clearTimeout(limit.timer)
    const { dueAt, every } = limit
    if (every === undefined) {
      watched.limits.splice(watched.limits.indexOf(limit), 1)
      return
    }
    limit.dueAt = nextTime(dueAt, every, at)
    this.wait(watched, limit)
  }

  /** The child has come late, and tells how it ends. */
  private leave(message: Of<"OverdueLeft">): void {
    const { limit, watched } = this.find(message)
    if (watched === undefined) return
    if (limit !== undefined) {
      // one that this process has told is at its next time already
      if (limit.dueAt <= Date.now()) this.tell(watched, limit)
      limit.isLeft = true
    }
    watched.told = undefined
  }

  private toldByChild(message: Of<"StepOverdue"> | Of<"RunOverdue">): void {
    const { limit, watched } = this.find(message)
    if (watched === undefined || limit === undefined) return
    // not by the time of the event alone: the child may go by another clock
    if (!limit.isLeft) this.next(watched, limit, Math.max(limit.dueAt, message.at))
    limit.isLeft = false
  }

  private find(message: Of<"OverdueLeft"> | Of<"StepOverdue"> | Of<"RunOverdue">) {
    const watched = this.watched.get(keyOf(message))
    const deadline = message._tag === "StepOverdue" ? undefined : message.deadline
    const limit = watched?.limits.find((one) => one.limitMillis === message.limitMillis && one.deadline === deadline)
    return { limit, watched }
  }

  private end(message: Of<"StepEnded"> | Of<"StepSkipped"> | Of<"RunEnded">, outcome: Of<"RunEnded">["outcome"]): void {
    const key = keyOf(message)
    const watched = this.watched.get(key)
    if (watched === undefined) return
    stop(watched)
    this.watched.delete(key)
    // a failure has an alert of its own, and the child tells of a skip
    if (watched.told === undefined || outcome !== "success") return
    this.ends.push({
      source: sourceOf(watched),
      alert: endOf(watched, watched.told, message.durationMillis)
    })
  }

  private forget(runId: string): void {
    for (const [key, watched] of this.watched) {
      if (watched.run.runId !== runId) continue
      stop(watched)
      this.watched.delete(key)
    }
  }

  private flush(): void {
    for (const { alert } of this.ends) this.teller.post?.(alert)
    this.ends = []
  }
}

const stop = ({ limits }: Watched): void => {
  for (const { timer } of limits) clearTimeout(timer)
}

const keyOf = (
  { runId, ...step }: { readonly runId: string; readonly index?: number | undefined }
): string => `${runId} ${step.index ?? ""}`

const isOf = (source: AlertSource | undefined, stepLabels: ReadonlyArray<string>): boolean =>
  source !== undefined && samePath(shortPath(labelsOf(source)), stepLabels)

const sourceOf = ({ run, step }: Watched): AlertSource => {
  const { pipelineName, runId, runName } = run
  const place = step === undefined ? { stepPath: [] } : { ...placeOf(step), attempt: step.attempt }
  return { pipeline: pipelineName, runId, runName, ...place }
}

/** Returns the alert of a limit as the standard hook makes it, with the reason why this process posts it. */
const alertOf = (watched: Watched, { deadline, startedAt }: Limit): InWords => {
  const { run, step } = watched
  const source = sourceOf(watched)
  const now = Date.now()
  const steps = step === undefined ? innermost(run) : []
  return (words) => {
    const elapsed = lasted(now - startedAt, words)
    return Alert.make({
      title: deadline === undefined
        ? words.stillRunning(subjectText(source), elapsed)
        : words.notEndedBy(subjectText(source), deadlineText(deadline)),
      severity: "warning",
      body: words.notResponding,
      fields: [
        { name: words.pipeline, value: run.pipelineName },
        { name: words.run, value: run.runName },
        ...(step === undefined ? [] : [{ name: words.step, value: step.stepLabels.at(-1) ?? "" }]),
        ...(step !== undefined && step.attempt > 1 ? [{ name: words.attempt, value: String(step.attempt) }] : []),
        { name: words.runningFor, value: elapsed },
        ...(deadline === undefined ? [] : [{ name: words.deadline, value: deadlineText(deadline) }]),
        ...(steps.length === 0
          ? []
          : [{ name: words.running, value: list(steps.map((step) => running(step, now, words)), words) }]),
        ...Object.entries(step?.params ?? {}).map(([name, value]) => ({ name, value: text(value) }))
      ],
      dedupeKey: subjectKey(source),
      tags: ["overdue", "unresponsive"],
      source
    })
  }
}

const endOf = (watched: Watched, told: InWords, millis: number): InWords => (words) => {
  const source = sourceOf(watched)
  const { step } = watched
  const before = told(words)
  const took = formatDuration(millis, words.duration)
  return Alert.make({
    title: words.endedAfter(subjectText(source), took),
    severity: "success",
    // without a key, another evaluation of the step may fail yet
    resolves: step === undefined || step.stepKey !== undefined,
    fields: before.fields.filter(({ name }) => name !== words.running).map((field) =>
      field.name === words.runningFor ? { name: words.tookTime, value: took } : field
    ),
    dedupeKey: subjectKey(source),
    tags: ["overdue"],
    recovers: [before],
    source
  })
}
