/** The alerter of a config file, for commands that only alert. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { Alerter } from "../../Alerter.ts"
import type { ConfigFile } from "../../config/index.ts"
import type { Wraps } from "../../config/internal/apply/alerter.ts"
import { errorOf } from "../../config/internal/file/errorOf.ts"
import { readProjectParts } from "../../config/internal/project/project.ts"
import { CurrentLedger, type Ledger } from "../../internal/alerts/ledger.ts"
import { type AlertRequest, defaultConfigs } from "../request.ts"
import { alerterAt, type AlerterFile, open, openAt } from "../supervise/config.ts"
import { wrongFlag } from "./alertInput.ts"
import type { Lost, Report } from "./alertReport.ts"
import { watch } from "./watching.ts"

type Files = FileSystem.FileSystem | Path.Path

/** All that is wrong with a file or with the command line. */
export type Issues = ReadonlyArray<ConfigFile.ConfigIssue>

/** Fails with all that is wrong. */
export const fail = (file: string, issues: Issues) => Effect.fail(errorOf(file, issues))

/** Finds the config file, and opens it for its alerter. The other parts of the file may be wrong. */
export const alerterOf = (
  request: Pick<AlertRequest, "alertUrls" | "allowOutside" | "config" | "root">
): Effect.Effect<AlerterFile, Issues, Files> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const named = yield* Effect.mapError(alerterAt(request.alertUrls), ({ message }) => {
      const [, expected = message] = /^--alert-url takes (.*)$/s.exec(message) ?? []
      return [wrongFlag("--alert-url", "another text", expected)]
    })
    if (named !== undefined) {
      const opened = yield* openAt(named, request.config, request)
      yield* opened.build()
      return opened
    }
    let file = request.config
    for (const name of defaultConfigs) {
      if (file === undefined && (yield* Effect.orElseSucceed(fs.exists(name), () => false))) file = name
    }
    if (file === undefined) {
      const path = yield* Path.Path
      const above = yield* readProjectParts(path.resolve("."), undefined, request)
      file = above?.decoded.file
    }
    if (file === undefined) {
      const found = `nothing, and no ${defaultConfigs.join(", ")} in this folder or above it in the repository`
      return yield* Effect.fail([wrongFlag("--config", found, "a config file, or the URL of a channel by --alert-url")])
    }
    const opened = yield* open(file, request)
    // all that can't be loaded is told at once, with what is wrong on the command line
    yield* opened.build()
    return opened
  })

/** Uses the alerter of a file. Where it can't be built, says of each part that can't be why. */
export const using = <A>(
  { build, decoded }: AlerterFile,
  wraps: Wraps,
  use: (alerter: Alerter.Shape) => Effect.Effect<A>
): Effect.Effect<A, ConfigFile.ConfigFileError | unknown, Files> =>
  Effect.gen(function*() {
    const layer = yield* Effect.catch(build({ wraps }), (issues) => fail(decoded.file, issues))
    const built = Layer.build(layer).pipe(
      Effect.catch((error) =>
        Effect.andThen(Effect.catch(build({ tries: true }), (issues) => fail(decoded.file, issues)), Effect.fail(error))
      )
    )
    return yield* Effect.scoped(Effect.flatMap(built, (context) => use(Context.get(context, Alerter))))
  })

/** Collects what is lost, and which policies keep alerts. */
export const ledgerOf = () => {
  const lost: Array<Lost> = []
  const keepers = new Set<string>()
  const ledger: Ledger = {
    accepted: (alert, by) => ({
      delivered: () => {},
      kept: () => void keepers.add(by),
      lost: (error) => void lost.push({ alert, error })
    }),
    lost: (alert, error) => void lost.push({ alert, error })
  }
  return { ledger, keepers, lost }
}

/** Uses the alerter of a file as {@link using} does, and prints what was posted and what is lost. */
export const reported = (
  file: AlerterFile,
  report: Report,
  use: (alerter: Alerter.Shape) => Effect.Effect<void> = () => Effect.void
) =>
  Effect.gen(function*() {
    const { keepers, ledger, lost } = ledgerOf()
    const { kept, wraps } = watch(report.add)
    yield* Effect.provideService(using(file, wraps, use), CurrentLedger, ledger)
    report.printPosts()
    report.printLost(lost)
    return { keepers, kept, isLost: lost.length > 0 }
  })

/** Returns the mistake of a file whose alerter has no store. */
export const noStore = ({ file, positionOf }: AlerterFile["decoded"], expected: string): Issues => [
  { path: ["alerter"], file, position: positionOf(["alerter"]), found: "no store", expected }
]
