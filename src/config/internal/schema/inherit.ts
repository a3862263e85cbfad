/** Schema of the key `inherit`: how hooks of one owner combine with those around it. */
import * as Schema from "effect/Schema"
import { type FromFile, oneOf } from "../../../alerters/internal/channel/schema/leaf.ts"
import { map } from "../../../alerters/internal/channel/schema/structure.ts"
import type { InheritMode } from "../../../Hooks.ts"
import { kinds } from "../../../internal/model/hooks.ts"
import type { Document, Inherit } from "./types.ts"

const Mode: FromFile<InheritMode> = oneOf(["override", "append", "prepend", "off"])

export const InheritModes: FromFile<Inherit> = Schema.Union([
  Mode,
  map(
    "a map of modes by the kind of hook",
    Schema.Struct({
      start: Schema.optionalKey(Mode),
      retry: Schema.optionalKey(Mode),
      overdue: Schema.optionalKey(Mode),
      success: Schema.optionalKey(Mode),
      failure: Schema.optionalKey(Mode),
      interrupt: Schema.optionalKey(Mode),
      skip: Schema.optionalKey(Mode),
      exit: Schema.optionalKey(Mode),
      rollback: Schema.optionalKey(Mode)
    })
  )
]).annotate({
  identifier: "Inherit",
  expected: "\"override\", \"append\", \"prepend\" or \"off\", or a map of these by the kind of hook"
})

const combining = ["append", "prepend"]

/** Makes a mode that combines hooks an issue if the file has no `stepHooks` of the kind to combine. */
export const idleModes = Schema.makeFilter<Document>(({ inherit, stepHooks = {} }) => {
  if (inherit === undefined) return undefined
  if (typeof inherit === "string") {
    return combining.includes(inherit) && Object.keys(stepHooks).length === 0
      ? { path: ["inherit"], issue: "stepHooks beside it, without which it has no effect" }
      : undefined
  }
  return Object.entries(inherit)
    .filter(([kind, mode]) => combining.includes(mode) && !Object.hasOwn(stepHooks, kind))
    .map(([kind]) => ({
      path: ["inherit", kind],
      issue: `stepHooks of the kind ${kind}, without which it has no effect`
    }))
}, {
  toJsonSchema: () => ({
    allOf: [
      {
        anyOf: [
          { not: { required: ["inherit"], properties: { inherit: { enum: combining } } } },
          { required: ["stepHooks"], properties: { stepHooks: { minProperties: 1 } } }
        ]
      },
      ...kinds.map((kind) => {
        const byKind = { not: { type: "string" }, required: [kind], properties: { [kind]: { enum: combining } } }
        return {
          anyOf: [
            { not: { required: ["inherit"], properties: { inherit: byKind } } },
            { required: ["stepHooks"], properties: { stepHooks: { required: [kind] } } }
          ]
        }
      })
    ]
  })
})

/** Says in descriptions what the modes do. */
export const modes =
  "override (own hooks replace inherited ones of the same kind where one of them has something to do), append (inherited hooks run first), prepend (own "
  + "hooks run first), off (no inherited hooks). One mode for all kinds, or one for each."
