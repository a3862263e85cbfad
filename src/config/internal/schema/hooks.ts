/** Schemas of hooks in a config file: entries, lists of them, and maps by their kind. */
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import {
  duration,
  flag,
  type FromFile,
  maybeSecret,
  reference
} from "../../../alerters/internal/channel/schema/leaf.ts"
import { map, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { HookRetry } from "./body.ts"
import { needless, needs } from "./needless.ts"
import type { HookEntry, HookList, HooksByKind } from "./types.ts"

const Tag = maybeSecret("the _tag of an error, as text")

const When = map(
  "a map with the key tag",
  Schema.Struct({
    tag: Schema.Union([
      Tag,
      Schema.Array(Tag).check(Schema.isMinLength(1)).annotate({ expected: "at least one _tag" })
    ]).annotate({ expected: "the _tag of an error, or a list of tags" }).annotateKey({
      description: "The _tag of the error, or a list that contains it."
    })
  })
)

const hookKeys = {
  use: reference.annotateKey({
    description: "A reference to the hook: ./hooks.ts#name, package#name, epilogue#alerterFailure, dir.module.name."
  }),
  name: optional(maybeSecret("a name, as text"), "The name in logs, spans and events."),
  timeout: optional(duration(), "The time limit of the hook, also as a number of seconds."),
  retry: optional(
    HookRetry,
    "Runs the hook again after a failure. A number is the largest number of attempts after the first."
  ),
  background: optional(flag, "Whether the step goes on without waiting for the hook."),
  required: optional(flag, "Whether the step fails if the hook fails.")
}

const both = needless<HookEntry>(
  "background",
  ({ background, required }) => background === true && required === true,
  "no background: true beside required: true, since the step does not wait for it",
  { not: { properties: { background: { const: true }, required: { const: true } }, required: ["required"] } }
)

const hookForms = "a reference such as ./hooks.ts#name, or a map with the key use"

const listOf = (entry: FromFile<HookEntry>, identifier: string): FromFile<HookList> => {
  const hook = map("a map with the key use", entry.annotate({ identifier }))
  return Schema.Union([
    reference,
    hook,
    Schema.Array(Schema.Union([reference, hook]).annotate({ expected: hookForms })).check(
      Schema.isMinLength(1, { expected: "at least one hook (inherit: off removes hooks)" })
    )
  ]).annotate({ identifier: `${identifier}s`, expected: `${hookForms}, or a list of them` })
}

const AnyHooks = listOf(Schema.Struct(hookKeys).check(both), "Hook")

const unrequired = Struct.omit(hookKeys, ["required"])

// Nothing can fail a step that goes on.
const OverdueHooks = listOf(
  Schema.Struct({
    ...unrequired,
    after: optional(duration(), "The time after which the hook runs, in place of that of the key overdue."),
    every: optional(duration(), "How often it runs again. Once by default.")
  }).check(needs<HookEntry>("every", "after")),
  "OverdueHook"
)

// They run one after another, when the run has failed.
const RollbackHooks = listOf(Schema.Struct(Struct.omit(unrequired, ["background"])), "RollbackHook")

// Only failures have an error with a tag, so only their hooks have `when`.
const FailureHooks = listOf(
  Schema.Struct({ ...hookKeys, when: optional(When, "The failures that the hook runs for. All by default.") }).check(
    both
  ),
  "FailureHook"
)

const runKinds = {
  start: optional(AnyHooks, "Run before the body."),
  overdue: optional(OverdueHooks, "Run while the body goes on: after the time of the key overdue, or of the hook."),
  success: optional(AnyHooks, "Run after success."),
  failure: optional(FailureHooks, "Run after failure."),
  interrupt: optional(AnyHooks, "Run after interruption."),
  skip: optional(AnyHooks, "Run after a skip: by a predicate, or from the body."),
  exit: optional(FailureHooks, "Run at the end, whatever the outcome.")
}

const hooksByKind = "a map of hooks by their kind"

// A run is not retried, and not undone as a whole, so it has no retry hooks and no rollback hooks.
export const RunHooksMap: FromFile<HooksByKind> = map(
  hooksByKind,
  Schema.Struct(runKinds).annotate({ identifier: "RunHooksByKind" })
)

export const HooksMap: FromFile<HooksByKind> = map(
  hooksByKind,
  Schema.Struct({
    ...runKinds,
    retry: optional(FailureHooks, "Run after a failed attempt, before the next."),
    rollback: optional(RollbackHooks, "Run to undo the step, where it has succeeded and the run fails later.")
  }).annotate({ identifier: "HooksByKind" })
)
