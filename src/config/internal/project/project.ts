/** Reads the project file: what holds for a config, and for its pipeline's code, where neither says anything. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { ConfigIssue } from "../../ConfigFileError.ts"
import type { ExplainedProject } from "../../Loaded.ts"
import { type Decoded, read } from "../file/decode.ts"
import { readParts } from "../file/part.ts"
import type { SourceOptions } from "../modules/modules.ts"
import type { AlertTemplates, Document } from "../schema/types.ts"
import { find, type Found } from "./find.ts"

/** A project file as far as it is valid, with all that is wrong with it. */
export interface Project extends Decoded {
  readonly sources: SourceOptions
  readonly issues: ReadonlyArray<ConfigIssue>
  readonly warnings: ReadonlyArray<ConfigIssue>
}

/** The keys that are about one pipeline. */
const ofOne = ["runName", "params", "inherit", "steps", "monitor"] as const

interface Options {
  readonly project?: boolean | undefined
  readonly allowOutside?: boolean | undefined
  readonly root?: string | undefined
}

type Services = FileSystem.FileSystem | Path.Path

const sourcesOf = ({ folder }: Found, { allowOutside = false, root }: Options): SourceOptions => ({
  folder,
  root: root ?? folder,
  allowOutside
})

const nothingIn = (issues: ReadonlyArray<ConfigIssue>): Project => ({
  document: {},
  file: "",
  positionOf: () => undefined,
  sources: { folder: ".", root: ".", allowOutside: false },
  issues,
  warnings: []
})

/** Reads the project file of a config in a folder, or of what runs there without one. */
export const readProject = (
  folder: string,
  config: string | undefined,
  options: Options
): Effect.Effect<Project | undefined, never, Services> =>
  Effect.gen(function*() {
    if (options.project === false) return undefined
    const found = yield* find(folder, config, options.root)
    if (found === undefined) return undefined
    const { file, text } = found
    const { decoded, issues, warnings } = yield* read(text, file)
    const document = decoded?.document ?? {}
    const positionOf = decoded?.positionOf ?? (() => undefined)
    const misplaced = ofOne.filter((key) => Object.hasOwn(document, key)).map((key): ConfigIssue => ({
      path: [key],
      file,
      position: positionOf([key]),
      found: "it in the file of a project",
      expected: "it in a config, or a pipeline beside it, which makes this the config of that one"
    }))
    const all = [...issues, ...misplaced]
    return { document, file, positionOf, sources: sourcesOf(found, options), issues: all, warnings }
  }).pipe(Effect.catch(({ issues }) => Effect.succeed(nothingIn(issues))))

/** Reads the valid part of the project file, for its alerter. What is wrong is told where all of it is loaded. */
export const readProjectParts = (
  folder: string,
  config: string | undefined,
  options: Options
): Effect.Effect<{ readonly decoded: Decoded; readonly sources: SourceOptions } | undefined, never, Services> =>
  Effect.gen(function*() {
    if (options.project === false) return undefined
    const found = yield* Effect.orElseSucceed(find(folder, config, options.root), () => undefined)
    const decoded = found && (yield* readParts(found.text, found.file)).decoded
    return found && decoded && { decoded, sources: sourcesOf(found, options) }
  })

/** Merges the words of alerts: those of a config over those of its project, each text for itself. */
export const mergedAlerts = (
  config: AlertTemplates | undefined,
  project: AlertTemplates | undefined
): AlertTemplates | undefined => {
  if (config === undefined || project === undefined) return config ?? project
  const kinds = new Set([...Object.keys(project), ...Object.keys(config)] as ReadonlyArray<keyof AlertTemplates>)
  return Object.fromEntries([...kinds].map((kind) => [kind, { ...project[kind], ...config[kind] }]))
}

/** The keys whose values a config replaces as a whole. */
const whole = ["alerter", "language", "logs", "record", "timeout", "overdue", "deadline"] as const

/** Says which values come from the project file, and which from the config. */
export const explainProject = (
  { document, file, positionOf }: Decoded,
  config: Document
): ExplainedProject => {
  const values = whole.flatMap((key) => document[key] === undefined ? [] : [[key, config[key] === undefined] as const])
  const defaults = (["retry", "timeout", "overdue"] as const).flatMap((key) =>
    document.defaults?.[key] === undefined ? [] : [[key, config.defaults?.[key] === undefined] as const]
  )
  return {
    file,
    values: [
      ...values.map(([key, applies]) => ({ key, position: positionOf([key]), applies })),
      ...defaults.map(([key, applies]) => ({
        key: `defaults.${key}`,
        position: positionOf(["defaults", key]),
        applies
      }))
    ]
  }
}
