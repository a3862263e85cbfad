/** `epilogue ack`: lists the failures that are open, and acknowledges them. A bundle of its own, like that of `alert.ts`. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { AlerterSpec } from "../../config/internal/schema/alerter.ts"
import { storesOf } from "../../config/internal/schema/alerterParts.ts"
import { Acknowledgements, type OpenAlert } from "../../delivery/Acknowledgements.ts"
import { Store } from "../../delivery/Store.ts"
import { padTo } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { clean, fitEnd, oneLine } from "../../internal/text/fit.ts"
import { localTimeHere } from "../../internal/text/localTime.ts"
import { plural } from "../../internal/text/words.ts"
import { type AckRequest, ExitCode } from "../request.ts"
import type { AlerterFile } from "../supervise/config.ts"
import { alerterOf, fail, type Issues, noStore, reported } from "./alerterFile.ts"
import { wrongFlag } from "./alertInput.ts"
import { Report } from "./alertReport.ts"
import { err, out } from "./environment.ts"
import { type Session, session } from "./session.ts"
import { userName } from "./userName.ts"

/** Performs the command, and returns its exit code. */
export const ack = (request: AckRequest): Promise<number> =>
  session({ ...request, progress: "none" }, (session) =>
    Effect.gen(function*() {
      session.messages.interrupt = "giving up"
      const isList = request.list || (request.keys.length === 0 && !request.all)
      const mistakes = mistakesIn(request, isList)
      const places = yield* Effect.result(placesOf(request))
      if (mistakes.length > 0 || places._tag === "Failure") {
        const others = places._tag === "Failure" ? places.failure : []
        return yield* fail(request.config ?? request.store ?? "the command line", [...mistakes, ...others])
      }
      const { file, stores } = places.success
      const use = <A, E>(f: (services: ReadonlyArray<Acknowledgements.Shape>) => Effect.Effect<A, E>) =>
        Effect.scoped(Effect.flatMap(Effect.forEach(stores, acknowledgementsIn), f))
      if (isList) {
        print(session, (yield* use(listOf)).toSorted(bySince))
        return ExitCode.success
      }
      const done = yield* use((services) => acknowledge(request, session, services))
      if (done.acknowledged.length === 0 || file === undefined) return done.exitCode
      return Math.max(done.exitCode, yield* tell(file, session))
    }))

const mistakesIn = ({ all, by, comment, config, keys, list, store }: AckRequest, isList: boolean): Issues => {
  const mistakes: Array<Issues[number]> = []
  if (config !== undefined && store !== undefined) {
    mistakes.push(wrongFlag("--store", "--config", "one of the two alone"))
  }
  if (list && (all || keys.length > 0)) {
    mistakes.push(wrongFlag("--list", all ? "--all" : "a key", "nothing to acknowledge beside it"))
  } else if (all && keys.length > 0) mistakes.push(wrongFlag("--all", "a key", "no key beside it"))
  if (isList) {
    for (const flag of [...(by === undefined ? [] : ["--by"]), ...(comment === undefined ? [] : ["--comment"])]) {
      mistakes.push(wrongFlag(flag, "nothing to acknowledge", "a key beside it, or --all"))
    }
  }
  if (keys.some((key) => key.trim() === "")) mistakes.push(wrongFlag("KEY", "an empty text", "a key"))
  if (by !== undefined && oneLine(clean(by)).trim() === "") {
    mistakes.push(wrongFlag("--by", "an empty text", "a name"))
  }
  return mistakes
}

// -----------------------------------------------------------------------------
// stores
// -----------------------------------------------------------------------------

interface Places {
  readonly file: AlerterFile | undefined
  /** The paths of the stores that there are. */
  readonly stores: ReadonlyArray<string>
}

/** Finds the stores. One of a config file that does not exist has nothing that is open. */
const placesOf = (request: AckRequest): Effect.Effect<Places, Issues, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const exists = (path: string) => Effect.orElseSucceed(fs.exists(path), () => false)
    if (request.store !== undefined) {
      // a path that is mistyped must not become a new store
      return (yield* exists(request.store))
        ? { file: undefined, stores: [request.store] }
        : yield* Effect.fail([wrongFlag("--store", "no such file", "the store of an alerter")])
    }
    const file = yield* alerterOf({ ...request, alertUrls: [] })
    const path = yield* Path.Path
    const { decoded } = file
    // a cast, since the public type is wider than the Schema that has decoded the value
    const found = storesOf(decoded.document.alerter as AlerterSpec)
    if (found.length === 0) {
      return yield* Effect.fail(noStore(decoded, "a store, in which remind and escalate keep what is open"))
    }
    const folder = path.dirname(path.resolve(decoded.file))
    const stores = new Set(found.map(({ folder: store }) => path.resolve(folder, store)))
    return { file, stores: yield* Effect.filter([...stores], exists) }
  })

const acknowledgementsIn = (filename: string) =>
  Effect.map(
    Layer.build(Layer.provide(Acknowledgements.layer, Store.layerSqlite({ filename }))),
    (context) => Context.get(context, Acknowledgements)
  )

const listOf = (services: ReadonlyArray<Acknowledgements.Shape>) =>
  Effect.map(Effect.forEach(services, ({ list }) => list), (all) => all.flat())

const bySince = (a: OpenAlert, b: OpenAlert) => a.since.epochMilliseconds - b.since.epochMilliseconds

// -----------------------------------------------------------------------------
// what the command does
// -----------------------------------------------------------------------------

/** Acknowledges failures, each in the stores in which it is open. */
const acknowledge = (request: AckRequest, session: Session, services: ReadonlyArray<Acknowledgements.Shape>) =>
  Effect.gen(function*() {
    const { redact } = session
    const how = { by: redact(request.by ?? userName()), comment: redact(request.comment ?? "") }
    const open = yield* listOf(services)
    const keys = request.all
      ? open.filter(({ acknowledged }) => acknowledged === undefined).map(({ key }) => key)
      : request.keys
    const done = yield* Effect.forEach([...new Set(keys)], (name) =>
      Effect.gen(function*() {
        const found = open.filter(({ id, key }) => key === name || id === name)
        const results = yield* Effect.forEach(services, (service) => Effect.result(service.acknowledge(name, how)))
        const [first] = results.filter((result) => result._tag === "Success")
        // it may have recovered meanwhile
        if (first === undefined) return { name, alert: undefined, isNew: false }
        return { name, alert: first.success, isNew: found.some(({ acknowledged }) => acknowledged === undefined) }
      }))
    for (const { alert, isNew, name } of done) {
      if (alert === undefined) tellUnknown(session, name, open)
      else if (session.emit !== undefined) session.emit(toJson(alert))
      else out(line(session, alert, isNew))
    }
    if (keys.length === 0 && session.emit === undefined) err("nothing is open that is not acknowledged")
    return {
      acknowledged: done.filter(({ isNew }) => isNew),
      exitCode: done.some(({ alert }) => alert === undefined) ? ExitCode.failed : ExitCode.success
    }
  })

const line = ({ redact }: Session, { acknowledged, id, title }: OpenAlert, isNew: boolean): string => {
  const by = acknowledged === undefined ? "" : ` by ${oneLine(redact(acknowledged.by))}`
  const before = isNew || acknowledged === undefined ? "" : `before, at ${localTimeHere(acknowledged.at)}, `
  return `${id}  ${before}acknowledged${by}: ${fitEnd(oneLine(redact(title)), 200)}`
}

const tellUnknown = ({ emit, redact }: Session, name: string, open: ReadonlyArray<OpenAlert>): void => {
  if (emit !== undefined) return emit({ _tag: "NotOpen", key: name })
  const others = open.length === 0
    ? "nothing is"
    : `${plural(open.length, "failure")} ${open.length === 1 ? "is" : "are"}`
  err(
    `nothing is open under ${
      JSON.stringify(fitEnd(oneLine(redact(name)), 200))
    }; ${others} open, see epilogue ack --list`
  )
}

const toJson = ({ acknowledged, since, ...open }: OpenAlert): object => ({
  _tag: "OpenAlert",
  ...open,
  since: DateTime.formatIso(since),
  acknowledged: acknowledged && { ...acknowledged, at: DateTime.formatIso(acknowledged.at) }
})

/** Prints what is open. */
const print = ({ emit, redact }: Session, open: ReadonlyArray<OpenAlert>): void => {
  if (emit !== undefined) return open.forEach((one) => emit(toJson(one)))
  if (open.length === 0) return out("nothing is open")
  const now = Date.now()
  const show = (text: string, most: number) => fitEnd(oneLine(redact(text)), most)
  const lines = padTo([
    ["ID", "SINCE", "FOR", "TOLD", "KEY", "TITLE", "ACKNOWLEDGED"],
    ...open.map(({ acknowledged, id, key, since, title, told }) => [
      id,
      localTimeHere(since),
      formatDuration(Math.max(0, now - since.epochMilliseconds)),
      plural(told, "time"),
      show(key, 60),
      show(title, 100),
      acknowledged === undefined
        ? "no"
        : `by ${show(acknowledged.by, 100)}${
          acknowledged.comment === undefined ? "" : `: ${show(acknowledged.comment, 100)}`
        }`
    ])
  ])
  lines.forEach((line) => out(line))
}

/** Lets the alerter tell people who has acknowledged what, as it does whenever it is built. */
const tell = (file: AlerterFile, session: Session) =>
  Effect.gen(function*() {
    const report = new Report(session, file.decoded)
    const { isLost } = yield* reported(file, report)
    return isLost || report.hasFailed ? ExitCode.alertLost : ExitCode.success
  })
