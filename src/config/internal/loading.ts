/** The types of a file that is being loaded. */
import type * as Effect from "effect/Effect"
import type { HookImpl } from "../../internal/model/hook.ts"
import type { Path as Place, Position } from "./file/positions.ts"
import type { SourceOptions } from "./modules/modules.ts"
import type { Refusal } from "./modules/refusal.ts"
import type { Document } from "./schema/types.ts"

/** Reports a mistake at a path of the file, or of the flags. All mistakes are reported together, when loading ends. */
export type Report = (path: Place, problem: Refusal, by?: "file" | "flag") => void

/** A file while it is being loaded. */
export interface Loading {
  readonly file: string
  readonly document: Document
  readonly sources: SourceOptions
  readonly report: Report
  /** The position of each hook that the file names. */
  readonly origins: Map<HookImpl, Position | undefined>
  readonly positionOf: (path: Place) => Position | undefined
}

/** A pipeline and the exports of its module. */
export interface Exported {
  readonly name: string
  readonly pipeline: Effect.Effect<unknown, unknown>
  readonly module: Readonly<Record<string, unknown>>
}
