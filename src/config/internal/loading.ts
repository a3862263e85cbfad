/** The types of a file that is being loaded. */
import type * as Effect from "effect/Effect"
import type { HookImpl } from "../../internal/model/hook.ts"
import type { StandardHooks } from "./apply/templates.ts"
import type { Path as Place, Position } from "./file/positions.ts"
import type { SourceOptions } from "./modules/modules.ts"
import type { Refusal } from "./modules/refusal.ts"
import type { Document } from "./schema/types.ts"

/** Reports a mistake at a path of the file, or of the flags. All mistakes are reported together, when loading ends. */
export type Report = (path: Place, problem: Refusal, by?: "file" | "flag") => void

/** The place of a hook: its file, and the position there. */
export interface Origin {
  readonly file: string
  readonly position: Position | undefined
}

/** A file while it is being loaded. */
export interface Loading {
  readonly file: string
  readonly document: Document
  readonly sources: SourceOptions
  readonly report: Report
  /** The place of each hook that a file names. */
  readonly origins: Map<HookImpl, Origin>
  readonly positionOf: (path: Place) => Position | undefined
  /** The standard hooks, if the file has words for their alerts. */
  readonly standard: StandardHooks | undefined
}

/** A pipeline and the exports of its module. */
export interface Exported {
  readonly name: string
  readonly pipeline: Effect.Effect<unknown, unknown>
  readonly module: Readonly<Record<string, unknown>>
  /** Whether it could not be loaded, which has been reported. */
  readonly isMissing?: true
}
