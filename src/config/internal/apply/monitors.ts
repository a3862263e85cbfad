/** Makes the monitors of a config file. */
import * as Effect from "effect/Effect"
import type { FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import type { Made, Monitor } from "../../../monitors/internal/model.ts"
import { monitors } from "../../../monitors/internal/schema/monitors.ts"
import type { ExplainedMonitor } from "../../Loaded.ts"
import type { Path as Place, Position } from "../file/positions.ts"
import type { Refusal } from "../modules/refusal.ts"
import { type MonitorName, type MonitorSpec, serviceIn } from "../schema/monitor.ts"
import type { Document } from "../schema/types.ts"

/** A monitor of a file, with its path there. */
export interface FileMonitor {
  readonly path: Place
  readonly monitor: Monitor
}

/** A mistake in a monitor, with its path in the file. */
export interface MonitorMistake {
  readonly path: Place
  readonly problem: Refusal
}

/**
 * Makes the monitors of a document. Reads the variables of those without options, and fails with all that is missing or
 * wrong.
 */
export const build = (
  document: Pick<Document, "monitor">
): Effect.Effect<ReadonlyArray<FileMonitor>, ReadonlyArray<MonitorMistake>> =>
  Effect.gen(function*() {
    // a cast, since the public type is wider than the Schema that has decoded the value
    const specs = (document.monitor ?? []) as MonitorSpec | ReadonlyArray<MonitorSpec>
    const built: Array<FileMonitor> = []
    const mistakes: Array<MonitorMistake> = []
    for (const [index, spec] of [specs].flat().entries()) {
      const service = serviceIn(spec)
      const path: Place = ["monitor", ...("length" in specs ? [index] : []), service]
      const made = yield* Effect.result(makeOf(service, spec))
      if (made._tag === "Failure") mistakes.push(...made.failure.map((problem) => ({ path, problem })))
      else if (made.success._tag === "Success") built.push({ path, monitor: made.success.success })
      else {
        for (const { expected, option } of made.success.failure.mistakes) {
          mistakes.push({ path: [...path, option], problem: { expected, found: "another value" } })
        }
      }
    }
    return mistakes.length === 0 ? built : yield* Effect.fail(mistakes)
  })

type OptionsByName = {
  readonly [K in MonitorName]: (typeof monitors)[K] extends FileChannel<infer Options, Made> ? Options : never
}

const byName: { readonly [K in MonitorName]: Pick<FileChannel<OptionsByName[K], Made>, "layer" | "environment"> } =
  monitors

const makeOf = <K extends MonitorName>(
  name: K,
  spec: { readonly [N in K]?: OptionsByName[N] | true }
): Effect.Effect<Made, ReadonlyArray<Refusal>> => {
  const { environment, layer } = byName[name]
  const options: OptionsByName[K] | true | undefined = spec[name]
  return isOptions(options)
    ? Effect.succeed(layer(options, "."))
    : Effect.map(environment, (options) => layer(options, "."))
}

const isOptions = <Options extends object>(options: Options | true | undefined): options is Options =>
  typeof options === "object"

/** Explains monitors. */
export const explain = (
  monitors: ReadonlyArray<FileMonitor>,
  { file, positionOf }: { readonly file: string; readonly positionOf: (path: Place) => Position | undefined }
): ReadonlyArray<ExplainedMonitor> =>
  monitors.map(({ monitor: { everyMillis, pipelines, service }, path }) => ({
    name: service.name,
    from: { file, position: positionOf(path) },
    pipelines,
    moves: (["start", "success", "failure", "interrupt"] as const).filter((move) => service.takes.has(move)),
    every: everyMillis
  }))
