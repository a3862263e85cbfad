/** The Schema of a config file. */
import * as Schema from "effect/Schema"
import {
  type FromFile,
  leaf,
  maybeSecret,
  oneOf,
  reference,
  whole
} from "../../../alerters/internal/channel/schema/leaf.ts"
import { map, oneOrMore, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { AlerterSpec } from "./alerter.ts"
import { AlertsMap } from "./alerts.ts"
import { bodyKeys, BodyTimeout, DefaultsMap } from "./body.ts"
import { HooksMap, RunHooksMap } from "./hooks.ts"
import { idleModes, InheritModes, modes } from "./inherit.ts"
import { Monitors } from "./monitor.ts"
import { deadline, no, overdue } from "./overdue.ts"
import { Record as RunRecord } from "./record.ts"
import type { Document, StepDocument } from "./types.ts"

const Fields = Schema.Record(Schema.String, Schema.Unknown)

const Params = map(
  "a map of parameters by the service's key",
  Schema.Record(Schema.String, map("a map of the service's fields", Fields)).annotate({ identifier: "Params" })
)

const Annotations = map("a map of annotations by their names", Fields)

const StepMap: FromFile<StepDocument> = map(
  "a map with keys such as hooks, retry and timeout",
  Schema.Struct({
    inherit: optional(
      InheritModes,
      `How the hooks of the step, from the file or else from the code, combine with stepHooks: ${modes}`
    ),
    hooks: optional(HooksMap, "Hooks of the step."),
    ...bodyKeys,
    params: optional(Params, "Parameters for this step, by the key of the service. They win over those of the run."),
    annotations: optional(Annotations, "Annotations of the step.")
  }).annotate({ identifier: "Step" })
)

const variableName = leaf<string>({
  expected: "the name of a variable, without ${}",
  json: Schema.String,
  parse: (input, ofVariable) => {
    const name = typeof input === "string" && !ofVariable ? input.trim() : ""
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : undefined
  }
})

/** The Schema of a config file. */
export const document: FromFile<Document> = map(
  "a map with keys such as pipeline, steps and alerter",
  Schema.Struct({
    $schema: optional(
      Schema.String.annotate({ expected: "the address of a JSON Schema, as text" }),
      "The address of the JSON Schema, for editors."
    ),
    pipeline: optional(reference, "A reference to the pipeline: ./nightly-etl.ts#pipeline."),
    public: optional(
      oneOrMore(variableName),
      "The names of variables whose values may be shown. The values of all others are kept out of all output."
    ),
    runName: optional(maybeSecret("a name, as text"), "The name of the run."),
    annotations: optional(Annotations, "Annotations of the run."),
    params: optional(Params, "Parameters by the key of the service."),
    hooks: optional(RunHooksMap, "Hooks of the run itself."),
    stepHooks: optional(HooksMap, "Hooks of every step."),
    inherit: optional(InheritModes, `How stepHooks combine with the hooks of the code: ${modes}`),
    timeout: optional(
      BodyTimeout,
      "The time limit of the run, also as a number of seconds. false removes the time limit of the code."
    ),
    overdue: overdue("the run"),
    deadline,
    alerts: optional(AlertsMap, "The words of the alerts that the standard hooks of this file post."),
    logs: optional(
      Schema.Union([whole(0, 100), no]).annotate({ expected: "a whole number from 0 to 100, or false" }),
      "How many of the last lines that a step has logged its alerts end with. 20 under the command, unless set. false keeps "
        + "nothing of the log, in records neither."
    ),
    defaults: optional(DefaultsMap, "The retry and the limits of every step without its own."),
    steps: optional(
      map("a map of steps by their names", Schema.Record(Schema.String, StepMap)),
      "Settings of steps, by their names."
    ),
    // Without `suspend` the JSON Schema would list the key as required.
    alerter: optional(
      Schema.suspend((): FromFile<AlerterSpec> => AlerterSpec),
      "The alerter: where alerts go, and the policies around it."
    ),
    language: optional(
      oneOf(["en", "de"]),
      "The language of what the library itself says in alerts: en or de, for an alerter here or in the project file. en by default."
    ),
    record: optional(
      RunRecord,
      "Record the run in .epilogue/runs, as epilogue run --record does: true, or which records to keep there."
    ),
    monitor: optional(
      Monitors,
      "The services that notice when the pipeline has not run: one, or a list of them."
    )
  }).check(idleModes)
)
