/** The requests of the command line, as plain data: they pass from one bundle of the command to another. */
import * as Data from "effect/Data"
import type { LogLevel } from "effect/LogLevel"

/** The exit codes of the command. */
export const ExitCode = {
  success: 0,
  /** The pipeline failed, or the process that ran it crashed. */
  failed: 1,
  /** The config, the command line or the environment is wrong, and nothing has run. */
  usage: 2,
  /** An alert did not arrive; of a run, only with `--require-alerts`, and where the pipeline succeeded. */
  alertLost: 3,
  /** The run waits for what nothing can complete: that of Node, where the top level of a module does. */
  unsettled: 13,
  /** The run was interrupted, by Ctrl-C or without a signal. Another signal has a code of its own: 128 and its number. */
  interrupted: 130
} as const

/** The command line asks for something impossible. The message alone is printed, without a stack. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

type Params = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A pipeline to load. At least one of `config` and `pipeline` is set. */
export interface LoadRequest {
  /** The path of the config file, as given. */
  readonly config: string | undefined
  /** `MODULE#EXPORT`: the module is an absolute path, or the name of a package. */
  readonly pipeline: string | undefined
  /** The values of `--param`, by service, then by field: decoded from JSON where they are valid JSON. */
  readonly params: Params
  /** The same values as they were written, for fields of text: `--param Job.version=5` may mean `"5"`. */
  readonly texts: Params
  readonly runName: string | undefined
  /** The time limit of the run, in milliseconds. */
  readonly timeout: number | undefined
  /** The absolute path of the folder that no path in the config may leave; the config's own folder unless set. */
  readonly root: string | undefined
  readonly allowOutside: boolean
  /** Whether the project file sets what neither the config nor the code sets. */
  readonly project: boolean
  /** The URLs of channels that alerts go to in place of the config's alerter. `${NAME}` stands for a variable. */
  readonly alertUrls: ReadonlyArray<string>
}

/** @internal */
export const progresses = ["auto", "tree", "plain", "github", "gitlab", "none"] as const

/** How the progress of a run is displayed. */
export type Progress = (typeof progresses)[number]

/** How the events of runs are displayed and recorded. */
export interface Showing {
  /** Whether to print events as JSON lines instead of lines for people. */
  readonly json: boolean
  readonly progress: Progress
  /** The file to append records to; `""` for a new file for each run in `.epilogue/runs`. */
  readonly record: string | undefined
  /** The file to write the steps to, as JUnit XML. */
  readonly junit?: string | undefined
}

/** `epilogue run`. */
export interface RunRequest extends LoadRequest, Showing {
  /** Whether to run the pipeline in a child process; unless set, only where the config names an alerter. */
  readonly supervise: boolean | undefined
  /** Whether a run that succeeds ends with exit code 3 where an alert did not arrive. */
  readonly requireAlerts: boolean
  /** The addresses of monitors, beside those of the config. */
  readonly monitors: ReadonlyArray<string>
  readonly logLevel: LogLevel | undefined
}

/** @internal */
export const tails = ["auto", "stderr", "both", "none"] as const

/** `epilogue exec`. */
export interface ExecRequest
  extends
    Omit<LoadRequest, "params" | "pipeline" | "texts">,
    Pick<RunRequest, "junit" | "logLevel" | "monitors" | "record">
{
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** The name of the pipeline and of its step. */
  readonly name: string
  /** How long the command may take to end after SIGTERM, in milliseconds. */
  readonly grace: number | undefined
  /** The number of attempts after the first. */
  readonly retry: number | undefined
  /** The delay before each of them, in milliseconds. */
  readonly retryDelay: number | undefined
  /** Of which outputs the last lines are kept. */
  readonly tail: (typeof tails)[number]
  readonly progress: Exclude<Progress, "auto" | "tree">
  readonly requireAlerts: boolean
}

/** `epilogue alert`. The texts are as they were given: what is wrong with them is told together with what is wrong with the file. */
export interface AlertRequest {
  /** The path of the config file; the one of the working directory unless set. */
  readonly config: string | undefined
  /** See {@link LoadRequest.root}. */
  readonly root: string | undefined
  readonly allowOutside: boolean
  /** See {@link LoadRequest.alertUrls}. */
  readonly alertUrls: ReadonlyArray<string>
  readonly title: string | undefined
  /** The text; standard input unless set. */
  readonly body: string | undefined
  readonly severity: string | undefined
  readonly tags: ReadonlyArray<string>
  /** `NAME=VALUE`. */
  readonly fields: ReadonlyArray<string>
  readonly dedupeKey: string | undefined
  /** The address of a page about it. */
  readonly url: string | undefined
  /** Whether to send one through each place of the alerter that alerts go to, past its policies. */
  readonly test: boolean
  /** Whether to deliver what the alerter's stores keep and is due. */
  readonly flush: boolean
  readonly json: boolean
  readonly logLevel: LogLevel | undefined
}

/** `epilogue ack`. The texts are as they were given. */
export interface AckRequest extends Pick<AlertRequest, "allowOutside" | "config" | "json" | "logLevel" | "root"> {
  /** The keys or ids of the failures to acknowledge. */
  readonly keys: ReadonlyArray<string>
  /** Whether to acknowledge all that are open. */
  readonly all: boolean
  readonly list: boolean
  /** The path of a store, in place of a config file. */
  readonly store: string | undefined
  /** The name of the person; the user of the machine unless set. */
  readonly by: string | undefined
  readonly comment: string | undefined
}

/** The config files that are looked for where none is named. */
export const defaultConfigs = ["epilogue.yaml", "epilogue.yml", "epilogue.json"]

/** The arguments of every command for durable pipelines. */
export interface DurableRequest {
  /** A SQLite file, or a Postgres URL, which is never printed; unless set, the environment names the database. */
  readonly database: string | undefined
  readonly logLevel: LogLevel | undefined
}

/** The exports of a module to load. Modules are absolute paths, or names of packages. */
export interface DurableModule {
  /** `MODULE#EXPORT`, or `MODULE` for all of its durable pipelines. */
  readonly reference: string
  /** The `MODULE#EXPORT` of a Layer with the services of the pipelines; unless set, the module's export `layer`. */
  readonly layer: string | undefined
}

/** The config file whose alerter tells of what keeps a process with durable pipelines from working. */
export interface DurableAlerts extends Pick<LoadRequest, "alertUrls" | "allowOutside" | "root"> {
  /** The path of the file, as given. Unless set, the alerter is that of the pipelines' services. */
  readonly config: string | undefined
  /** The addresses of monitors, beside those of the file. */
  readonly monitors: ReadonlyArray<string>
}

/** `epilogue worker`. */
export interface WorkerRequest extends DurableRequest, DurableModule, DurableAlerts, Showing {
  /** The host at which other runners of the cluster reach this one. */
  readonly host: string
  /** The port for that; 0 for any free port. */
  readonly port: number
  /** Whether only runners can reach a host that is not this machine alone. */
  readonly trustedNetwork: boolean
  /** Whether to work in a child process. */
  readonly supervise: boolean
}

/** `epilogue run --durable`. */
export interface DurableRunRequest extends DurableRequest, DurableModule, DurableAlerts, Showing {
  /** The payload as JSON; `{}` unless set. */
  readonly payload: string | undefined
  /** Whether to run the pipeline in a child process. */
  readonly supervise: boolean
  /** Whether a run that succeeds ends with exit code 3 where an alert did not arrive. */
  readonly requireAlerts: boolean
}

/** `epilogue answer`: the answer to a question of a durable run. */
export interface AnswerRequest extends DurableRequest {
  readonly token: string
  readonly approve: boolean
  /** The name of the person who answers; the user of the machine unless set. */
  readonly by: string | undefined
  readonly comment: string | undefined
  /** The values that the question asks for, as texts by the names of its fields. */
  readonly values: Readonly<Record<string, string>>
}

/** The arguments of every command of `epilogue durable`. */
export interface StoredRequest extends DurableRequest, Showing {}

/** `epilogue durable list`. */
export interface StoredListRequest extends StoredRequest {
  /** Lists only runs of these pipelines; empty for all. */
  readonly pipelines: ReadonlyArray<string>
  /** Lists only runs with these statuses; empty for all. */
  readonly statuses: ReadonlyArray<"running" | "waiting" | "setAside" | "success" | "failure" | "interrupt" | "skip">
  /** The largest number of runs; 0 for all. */
  readonly limit: number
}

/** `epilogue durable show`. */
export interface StoredShowRequest extends StoredRequest {
  /** A run's id, or the beginning of one. */
  readonly runId: string
}

/** `epilogue durable interrupt`. */
export interface StoredInterruptRequest extends StoredShowRequest {
  /** Whether to interrupt the steps that are running, too. */
  readonly now: boolean
}

/** `epilogue durable retry`. */
export interface StoredRetryRequest extends StoredShowRequest {
  /** The first step that runs again. */
  readonly from: string | undefined
}

/** `epilogue durable prune`. */
export interface StoredPruneRequest extends StoredRequest {
  /** Removes only runs of these pipelines; empty for all. */
  readonly pipelines: ReadonlyArray<string>
  /** Keeps what ended more recently than this, in milliseconds. */
  readonly older: number | undefined
  readonly keep: number | undefined
}

/** `epilogue outbox retry`: of alerts that are named, or of all that are set aside. */
export interface OutboxRetryRequest extends StoredRequest {
  /** The ids of alerts, or the beginnings of them. */
  readonly ids: ReadonlyArray<string>
}

/** `epilogue outbox drop`. */
export interface OutboxDropRequest extends StoredRequest {
  /** The id of an alert, or the beginning of it. */
  readonly id: string
}

/** The arguments of every command for recorded runs. */
export interface FolderRequest {
  /** The folder of the records, or a file of several runs; `.epilogue/runs` unless set. */
  readonly folder: string | undefined
}

/** `epilogue runs`: a list of recorded runs. */
export interface RunsRequest extends FolderRequest {
  /** Lists only runs of these pipelines; empty for all. */
  readonly pipelines: ReadonlyArray<string>
  /** Lists only runs with these statuses; empty for all. */
  readonly statuses: ReadonlyArray<string>
  /** A duration until now, or a date and time, as given: lists only runs that started since. */
  readonly since: string | undefined
  /** The largest number of runs to list; 0 for all. */
  readonly limit: number
  readonly json: boolean
  /** Whether to go on, and show what changes. */
  readonly watch: boolean
}

/** `epilogue show`: one recorded run. */
export interface ShowRequest extends FolderRequest {
  /** A run's id, the beginning of one, `latest`, `latest~1` for the one before it, or the path of a record. */
  readonly run: string
  readonly json: boolean
  /** Whether to print what each step has logged. */
  readonly logs: boolean
}

/** `epilogue compare`: two recorded runs of a pipeline. */
export interface CompareRequest extends FolderRequest {
  /** See {@link ShowRequest.run}. */
  readonly before: string
  /** See {@link ShowRequest.run}. */
  readonly after: string
  readonly order: "change" | "run"
  /** The share of the shorter duration by which a slower step differs, in per cent. */
  readonly threshold: number
  readonly json: boolean
}

/** `epilogue ui`: a page with the recorded runs, and the durable ones. */
export interface UiRequest extends FolderRequest, DurableRequest {
  /** Whether the page answers questions, and interrupts and retries runs. */
  readonly allowActions: boolean
  /** The name under which it does so; the user of the machine unless set. */
  readonly as: string | undefined
  /** The port to listen at; 0 for a free one. */
  readonly port: number
}

/** `epilogue logs`: what a recorded run has logged. */
export interface LogsRequest extends FolderRequest {
  /** See {@link ShowRequest.run}. */
  readonly run: string
  /** The step whose log is printed, and of those inside of it: its name or path. That of the whole run unless set. */
  readonly step: string | undefined
  /** Whether to go on until the run ends. */
  readonly follow: boolean
  readonly json: boolean
}

/** `epilogue report`: the files to make of a record; `-` for standard output. At least one of them is set. */
export interface ReportRequest extends FolderRequest {
  /** See {@link ShowRequest.run}. */
  readonly run: string
  readonly html: string | undefined
  readonly svg: string | undefined
  readonly png: string | undefined
  readonly mermaid: string | undefined
  readonly junit: string | undefined
  readonly markdown: string | undefined
  readonly badge: string | undefined
  readonly title: string | undefined
  readonly theme: "light" | "dark" | undefined
}

/** `epilogue prune`: removes records. */
export interface PruneRequest extends FolderRequest {
  /** The number of runs to keep, the newest. At least one of the two is set; a run stays if either keeps it. */
  readonly keep: number | undefined
  /** How long ago the runs to keep may have begun, in milliseconds. */
  readonly older: number | undefined
  /** Whether only to print which records would be removed. */
  readonly dryRun: boolean
}
