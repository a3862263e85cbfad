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

/** A run. */
export interface RunRequest extends LoadRequest {
  /** Events as JSON lines instead of lines for people. */
  readonly json: boolean
  /** `undefined`: where the config names an alerter. */
  readonly supervise: boolean | undefined
  readonly logLevel: LogLevel | undefined
}
