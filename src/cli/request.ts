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
}

/** @internal */
export const progresses = ["auto", "tree", "plain", "github", "none"] as const

/** How the progress of a run is displayed. */
export type Progress = (typeof progresses)[number]

/** How the events of runs are displayed and recorded. */
export interface Showing {
  /** Whether to print events as JSON lines instead of lines for people. */
  readonly json: boolean
  readonly progress: Progress
  /** The file to append records to; `""` for a new file for each run in `.epilogue/runs`. */
  readonly record: string | undefined
}

/** `epilogue run`. */
export interface RunRequest extends LoadRequest, Showing {
  /** Whether to run the pipeline in a child process; unless set, only where the config names an alerter. */
  readonly supervise: boolean | undefined
  readonly logLevel: LogLevel | undefined
}

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

/** `epilogue worker`. */
export interface WorkerRequest extends DurableRequest, DurableModule, Showing {
  /** The host at which other runners of the cluster reach this one. */
  readonly host: string
  /** The port for that; 0 for any free port. */
  readonly port: number
  /** Whether only runners can reach a host that is not this machine alone. */
  readonly trustedNetwork: boolean
}

/** `epilogue run --durable`. */
export interface DurableRunRequest extends DurableRequest, DurableModule, Showing {
  /** The payload as JSON; `{}` unless set. */
  readonly payload: string | undefined
}

/** `epilogue answer`: the answer to a question of a durable run. */
export interface AnswerRequest extends DurableRequest {
  readonly token: string
  readonly approve: boolean
  /** The name of the person who answers; the user of the machine unless set. */
  readonly by: string | undefined
  readonly comment: string | undefined
}

/** `epilogue interrupt`. */
export interface InterruptRequest extends DurableRequest, DurableModule {
  readonly runId: string
}

/** The arguments of every command for recorded runs. */
export interface FolderRequest {
  /** The folder of the records; `.epilogue/runs` unless set. */
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
}

/** `epilogue show`: one recorded run. */
export interface ShowRequest extends FolderRequest {
  /** A run's id, the beginning of one, `latest`, or the path of a record. */
  readonly run: string
  readonly json: boolean
}

/** `epilogue report`: the files to make of a record; `-` for standard output. At least one of the four is set. */
export interface ReportRequest extends FolderRequest {
  /** See {@link ShowRequest.run}. */
  readonly run: string
  readonly html: string | undefined
  readonly svg: string | undefined
  readonly png: string | undefined
  readonly mermaid: string | undefined
  readonly title: string | undefined
  readonly theme: "light" | "dark" | undefined
}

/** `epilogue prune`: removes records. */
export interface PruneRequest extends FolderRequest {
  /** The number of runs to keep, the newest. */
  readonly keep: number
  /** Whether only to print which records would be removed. */
  readonly dryRun: boolean
}
