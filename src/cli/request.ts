/** What the command line asks for, as plain data: it passes from one bundle to the other. */
import * as Data from "effect/Data"
import type { LogLevel } from "effect/LogLevel"

/** How the command ends. */
export const ExitCode = {
  success: 0,
  /** The pipeline failed, or the process that ran it died. */
  failed: 1,
  /** The config or the command line is wrong: nothing has run. */
  usage: 2,
  interrupted: 130
} as const

/** What was asked for can't be done as it was asked for. Its message is all there is to say. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

type Params = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** What is to be loaded. At least one of `config` and `pipeline` is there. */
export interface LoadRequest {
  /** The config file, as it was named. */
  readonly config: string | undefined
  /** `MODULE#EXPORT`, the module absolute unless it is a package. */
  readonly pipeline: string | undefined
  /** By service, then by field. */
  readonly params: Params
  /** As they were written, for fields that take text: `--param Job.version=5` may be meant so. */
  readonly texts: Params
  readonly runName: string | undefined
  /** The folder that no path in the config may leave, absolute; where not given, the config's own. */
  readonly root: string | undefined
  readonly allowOutside: boolean
}

/** @internal */
export const progresses = ["auto", "tree", "plain", "github", "none"] as const

/** How a run is shown. */
export type Progress = (typeof progresses)[number]

/** What becomes of the events of runs. */
export interface Showing {
  /** Events as JSON lines instead of lines for people. */
  readonly json: boolean
  readonly progress: Progress
  /** A file; `""` for one for each run, in their folder. */
  readonly record: string | undefined
}

/** A run. */
export interface RunRequest extends LoadRequest, Showing {
  /** `undefined`: where the config names an alerter. */
  readonly supervise: boolean | undefined
  readonly logLevel: LogLevel | undefined
}

/** What durable pipelines run with. */
export interface DurableRequest {
  /** A file, or the URL of a Postgres, which is never shown; where not given, as the environment says. */
  readonly database: string | undefined
  readonly logLevel: LogLevel | undefined
}

/** What of a module is wanted, the module absolute unless it is a package. */
export interface DurableModule {
  /** `MODULE#EXPORT`, or all that the module exports. */
  readonly reference: string
  /** Of a Layer: where the services of the pipelines come from, if not from the module's own `layer`. */
  readonly layer: string | undefined
}

/** A worker. */
export interface WorkerRequest extends DurableRequest, DurableModule, Showing {
  /** Where other runners of a cluster reach this one. */
  readonly host: string
  /** 0 for one that is free. */
  readonly port: number
}

/** A run of a durable pipeline. */
export interface DurableRunRequest extends DurableRequest, DurableModule, Showing {
  /** As JSON. */
  readonly payload: string | undefined
}

/** An answer to a question of a durable run. */
export interface AnswerRequest extends DurableRequest {
  readonly token: string
  readonly approve: boolean
  /** Who answers, where it is not the user of the machine. */
  readonly by: string | undefined
  readonly comment: string | undefined
}

/** The end of a durable run, before its time. */
export interface InterruptRequest extends DurableRequest, DurableModule {
  readonly runId: string
}

/** Where the records of runs are; `.epilogue/runs` where not given. */
export interface FolderRequest {
  readonly folder: string | undefined
}

/** A list of the runs that have a record. */
export interface RunsRequest extends FolderRequest {
  /** Those of these pipelines, and that ended so; all of them where none is named. */
  readonly pipelines: ReadonlyArray<string>
  readonly statuses: ReadonlyArray<string>
  /** For how long, or since when; as it was written. */
  readonly since: string | undefined
  /** 0 for all. */
  readonly limit: number
  readonly json: boolean
}

/** One run that has a record. */
export interface ShowRequest extends FolderRequest {
  /** An id, how one begins, `latest`, or a file. */
  readonly run: string
  readonly json: boolean
}

/** What is made of a record; `-` is standard output. At least one of the four is there. */
export interface ReportRequest extends FolderRequest {
  /** As in {@link ShowRequest}. */
  readonly run: string
  readonly html: string | undefined
  readonly svg: string | undefined
  readonly png: string | undefined
  readonly mermaid: string | undefined
  readonly title: string | undefined
  readonly theme: "light" | "dark" | undefined
}

/** Removes records. */
export interface PruneRequest extends FolderRequest {
  readonly keep: number
  /** Only says which. */
  readonly dryRun: boolean
}
