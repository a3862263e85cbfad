/**
 * Reads what a supervisor, or a command that only alerts, needs of a config file. It imports no module of the user's
 * before a layer is built: of a supervised run only the child does, so that their side effects happen once and can't crash
 * the supervisor.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Alerter } from "../../Alerter.ts"
import type { ConfigFile } from "../../config/index.ts"
import type { BuildOptions } from "../../config/internal/apply/alerter.ts"
import * as Monitors from "../../config/internal/apply/monitors.ts"
import type { Decoded, Reading } from "../../config/internal/file/decode.ts"
import { interpolate } from "../../config/internal/file/interpolate.ts"
import { type Parts, readParts } from "../../config/internal/file/part.ts"
import { byPosition, explainOne } from "../../config/internal/file/positions.ts"
import { readText } from "../../config/internal/file/readText.ts"
import { fileAlerter } from "../../config/internal/fileAlerter.ts"
import type { SourceOptions } from "../../config/internal/modules/modules.ts"
import { readProjectParts } from "../../config/internal/project/project.ts"
import { type AlerterSpec, readUrl } from "../../config/internal/schema/alerter.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { monitorAt } from "../../monitors/internal/known.ts"
import type { Monitor } from "../../monitors/internal/model.ts"
import { type LoadRequest, type RunRequest, UsageError } from "../request.ts"

type Services = FileSystem.FileSystem | Path.Path

/** The text of a config file, to be read once. */
export type Text = Effect.Effect<string, ConfigFile.ConfigFileError, FileSystem.FileSystem>

/** A config file, to be read and decoded once. */
export type Source = Effect.Effect<Parts, ConfigFile.ConfigFileError, FileSystem.FileSystem>

/** Returns the source of a file, whose variables the guard around learns where it is used first. */
export const sourceOf = (file: string): Source => Effect.flatMap(readText(file), (text) => readParts(text, file))

/** The folder that the paths of a config file may not leave. */
type Places = Pick<LoadRequest, "allowOutside" | "root">

/** A config file whose alerter has no mistake. */
export interface AlerterFile {
  /** The part of the file that is valid. */
  readonly decoded: Decoded
  /** The whole file, with the mistakes in its other parts. */
  readonly whole: Reading
  /** Makes the layer of the alerter. Fails with all that it lacks. */
  readonly build: (
    options?: Pick<BuildOptions<never, never, never>, "tries" | "wraps">
  ) => Effect.Effect<ConfigFile.FileAlerter, ReadonlyArray<ConfigFile.ConfigIssue>, Services>
}

/**
 * Opens a config file for its alerter. Fails with the mistakes that leave it without one, unless `orMonitor` is set and it
 * has a monitor, or `orNothing` is set.
 */
export const open = (
  file: string,
  places: Places,
  { orMonitor = false, orNothing = false, source = sourceOf(file) }: {
    readonly orMonitor?: boolean
    readonly orNothing?: boolean
    readonly source?: Source
  } = {}
): Effect.Effect<AlerterFile, ReadonlyArray<ConfigFile.ConfigIssue>, Services> =>
  Effect.gen(function*() {
    const { decoded, whole } = yield* Effect.mapError(source, ({ issues }) => issues)
    const path = yield* Path.Path
    // a process with durable pipelines has the alerter of their services, unless a config names one
    const ofProject = decoded?.document.alerter === undefined && !orMonitor
      ? yield* readProjectParts(path.dirname(path.resolve(file)), file, places)
      : undefined
    const isEnough = orNothing ||
      decoded?.document.alerter !== undefined ||
      ofProject?.decoded.document.alerter !== undefined ||
      (orMonitor && decoded?.document.monitor !== undefined)
    if (decoded === undefined || !isEnough) {
      const own = whole.issues.filter(({ path }) => path.length === 0 || path[0] === "alerter")
      const none = {
        path: [],
        file,
        position: undefined,
        found: "no alerter",
        expected: `an alerter${orMonitor ? ", or a monitor" : ""}`
      }
      return yield* Effect.fail(own.length > 0 ? own : [none])
    }
    return decoded.document.alerter === undefined && ofProject?.decoded.document.alerter !== undefined
      ? { decoded: ofProject.decoded, whole, build: building(ofProject.decoded, ofProject.sources) }
      : { decoded, whole, build: builderOf(decoded, places) }
  })

const builderOf = (decoded: Decoded, { allowOutside, root }: Places): AlerterFile["build"] => (options) =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const folder = path.dirname(path.resolve(decoded.file))
    return yield* building(decoded, { folder, root: root ?? folder, allowOutside })(options)
  })

const building = (decoded: Decoded, sources: SourceOptions): AlerterFile["build"] => (options) =>
  Effect.mapBoth(fileAlerter(decoded, sources, options), {
    onFailure: (mistakes) =>
      mistakes.map(({ path, problem }) => ({
        path,
        file: decoded.file,
        position: decoded.positionOf(path),
        ...problem
      })).toSorted(byPosition),
    onSuccess: (alerter) => alerter ?? Alerter.layerNone
  })

const commandLine = "the command line"

/** The decoded document of a command without a file. */
const noFile: Decoded = { document: {}, file: commandLine, positionOf: () => undefined }

const withAlerter = (decoded: Decoded, alerter: AlerterSpec): Decoded => ({
  ...decoded,
  document: { ...decoded.document, alerter },
  positionOf: (path) => path[0] === "alerter" ? undefined : decoded.positionOf(path)
})

/**
 * Returns the alerter that the URLs of channels name, or `undefined` without any. A variable is read as in a file. No error
 * shows a URL, since it is a secret, and the guard keeps it out of everything else.
 */
export const alerterAt = (urls: ReadonlyArray<string>): Effect.Effect<AlerterSpec | undefined, UsageError> =>
  Effect.gen(function*() {
    const guard = yield* CurrentGuard
    const specs: Array<AlerterSpec> = []
    const mistakes: Array<string> = []
    for (const [i, url] of urls.entries()) {
      const which = urls.length === 1 ? "" : `number ${i + 1}: `
      const { problems, root } = yield* interpolate({ at: { line: 1, column: 1 }, value: url })
      const text = Redacted.isRedacted(root.value) ? Redacted.value(root.value) : root.value
      if (problems.length > 0 || typeof text !== "string") {
        mistakes.push(...problems.map(({ expected, found }) => `${which}${expected}; found ${found}`))
        continue
      }
      const read = readUrl(text)
      // it is not guarded, since it may be how the form that is expected begins: nothing but the mistake is printed
      if (Result.isFailure(read)) mistakes.push(`${which}${read.failure}`)
      else {
        guard?.add([text])
        guard?.addRedacted(read.success)
        specs.push(read.success)
      }
    }
    if (mistakes.length > 0) {
      return yield* new UsageError({ message: `--alert-url takes ${mistakes.join(", and ")}` })
    }
    const [first, ...others] = specs
    return first === undefined || others.length === 0 ? first : { fanOut: specs }
  })

/** Opens a config file, if there is one, with the alerter that the URLs of the command line name. */
export const openAt = (
  spec: AlerterSpec,
  config: string | undefined,
  places: Places
): Effect.Effect<AlerterFile, ReadonlyArray<ConfigFile.ConfigIssue>, Services> =>
  Effect.gen(function*() {
    const source = config === undefined
      ? undefined
      : yield* Effect.mapError(sourceOf(config), ({ issues }) => issues)
    const decoded = withAlerter(source?.decoded ?? noFile, spec)
    return {
      decoded,
      whole: source?.whole ?? { decoded, issues: [], warnings: [] },
      build: builderOf(decoded, places)
    }
  })

/** The settings of a supervisor. */
export interface Supervision {
  /** The name of the pipeline until the child reports it. */
  readonly pipeline: string
  /** The alerter of the file. Where that names a module, building the layer imports it. */
  readonly alerter: ConfigFile.FileAlerter | undefined
  /** The monitors of the file, and those of the command line. */
  readonly monitors: ReadonlyArray<Monitor>
}

/**
 * Reads the alerter and the monitors of a config file whose other parts may be wrong: loading the pipeline then reports
 * the mistakes. Fails with those in the addresses of the command line.
 */
export const read = (
  request: Pick<LoadRequest, "config" | "pipeline"> & Places & Pick<RunRequest, "alertUrls" | "monitors"> & {
    /** Whether the alerter of the project file stands in for that of the config. */
    readonly project?: boolean | undefined
  },
  text?: Text,
  { source }: { readonly source?: Source | undefined } = {}
): Effect.Effect<Supervision, UsageError, Services> =>
  Effect.gen(function*() {
    const { config, pipeline } = request
    const given = yield* monitorsAt(request.monitors)
    const named = yield* alerterAt(request.alertUrls)
    const guard = yield* CurrentGuard
    guard?.add(given.flatMap(({ service }) => service.secrets))
    const path = yield* Path.Path
    const name = path.basename(pipeline ?? config ?? "")
    const ofFile = config === undefined ? undefined : yield* Effect.orElseSucceed(
      Effect.map(
        source ?? Effect.flatMap(text ?? readText(config), (text) => readParts(text, config)),
        ({ decoded }) => decoded
      ),
      () => undefined
    )
    const parts = named === undefined ? ofFile : withAlerter(ofFile ?? noFile, named)
    const folder = config === undefined ? "." : path.dirname(path.resolve(config))
    const ofProject = request.project === true ? yield* readProjectParts(folder, config, request) : undefined
    const monitors = parts === undefined ? [] : yield* Effect.orElseSucceed(Monitors.build(parts.document), () => [])
    const { language = ofProject?.decoded.document.language } = parts?.document ?? {}
    const build = parts?.document.alerter !== undefined
      ? builderOf(inLanguage(parts, language), request)
      : ofProject?.decoded.document.alerter === undefined
      ? undefined
      : building(inLanguage(ofProject.decoded, language), ofProject.sources)
    return {
      pipeline: name,
      alerter: build && Layer.unwrap(Effect.mapError(build(), usageOf)),
      monitors: [...monitors.map(({ monitor }) => monitor), ...given]
    }
  })

const inLanguage = (decoded: Decoded, language: ConfigFile.Document["language"]): Decoded =>
  language === undefined ? decoded : { ...decoded, document: { ...decoded.document, language } }

const usageOf = ([first]: ReadonlyArray<ConfigFile.ConfigIssue>): UsageError =>
  new UsageError({ message: first === undefined ? "the alerter can't be built" : explainOne(first) })

/** Makes the monitors of addresses. No error shows one, since it is a secret. */
const monitorsAt = (addresses: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Monitor>, UsageError> => {
  const made = addresses.map(monitorAt)
  const mistakes = made.flatMap((one, i) => {
    if (one._tag === "Success") return []
    const what = one.failure.mistakes.map(({ expected, option }) =>
      option === "URL" ? expected : `${option}: ${expected}`
    )
    return [`${addresses.length === 1 ? "" : `number ${i + 1}: `}${what.join("; ")}`]
  })
  return mistakes.length > 0
    ? Effect.fail(new UsageError({ message: `--monitor takes ${mistakes.join(", and ")}` }))
    : Effect.succeed(made.flatMap((one) => one._tag === "Success" ? [one.success] : []))
}
