/** The snippets for VS Code that `epilogue init --editor` writes. Cursor, VSCodium and others read the same file. */

/** A snippet. In the body, `${1:name}` is a place to fill in, and `$0` where the cursor is at the end. */
interface Snippet {
  readonly scope: "typescript,javascript" | "yaml"
  readonly prefix: string
  readonly description: string
  readonly body: ReadonlyArray<string>
}

const code = (prefix: string, description: string, ...body: ReadonlyArray<string>): Snippet => ({
  scope: "typescript,javascript",
  prefix,
  description,
  body
})

/** The snippets, by their names. */
export const snippets: Readonly<Record<string, Snippet>> = {
  imports: code(
    "ep-imports",
    "Imports of effect and effect-epilogue",
    "import { Effect } from \"effect\"",
    "import { Alerter, AlerterHooks, Hook, Pipeline, Step, StepContext } from \"effect-epilogue\"",
    "import { runMain } from \"effect-epilogue/main\"",
    "$0"
  ),
  job: code(
    "ep-job",
    "A script: a pipeline of one step whose failures are alerted",
    "import { Effect } from \"effect\"",
    "import { Alerter, AlerterHooks, Pipeline, Step } from \"effect-epilogue\"",
    "import { runMain } from \"effect-epilogue/main\"",
    "",
    "const ${1:load} = Step.make(\"${1:load}\", Effect.succeed(${2:1461}))",
    "",
    "const ${3:nightly} = Pipeline.make(\"${3:nightly}\", ${1:load}).pipe(",
    "  Pipeline.stepHooks(AlerterHooks.failure)",
    ")",
    "",
    "${3:nightly}.pipe(Effect.provide(Alerter.layerConsole), runMain)",
    "$0"
  ),
  step: code(
    "ep-step",
    "A step with a hook for its success",
    "const ${1:load} = Step.make(\"${1:load}\", Effect.succeed(${2:1461})).pipe(",
    "  Step.onSuccess((${3:rows}) => Effect.log(${3:rows}))",
    ")",
    "$0"
  ),
  stepFn: code(
    "ep-step-fn",
    "A function that makes steps, each with a key",
    "const ${1:fetchPage} = Step.fn(\"${2:fetch-page}\")(",
    "  (${3:page}: ${4:number}) => Effect.succeed(${3:page}),",
    "  (step, ${3:page}) => Step.key(step, ${3:page})",
    ")",
    "$0"
  ),
  pipeline: code(
    "ep-pipeline",
    "A pipeline whose steps alert their failures",
    "export const ${1:nightly} = Pipeline.make(\"${1:nightly}\", ${2:Effect.void}).pipe(",
    "  Pipeline.stepHooks(AlerterHooks.failure)",
    ")",
    "$0"
  ),
  hook: code(
    "ep-hook",
    "A hook of failures, for any step",
    "export const ${1:report} = Hook.onFailure((cause) =>",
    "  Effect.gen(function*() {",
    "    const { stepName } = yield* StepContext",
    "    yield* Effect.logError(stepName, cause)",
    "  })",
    ").pipe(Hook.named(\"${1:report}\"))",
    "$0"
  ),
  alerter: code(
    "ep-alerter",
    "An alerter of your own",
    "const ${1:alerter} = Alerter.layer((alert) => Effect.log(alert.severity, alert.title))",
    "$0"
  ),
  params: code(
    "ep-params",
    "Parameters that a config file sets",
    "export class ${1:LoadParams} extends Params.Service<${1:LoadParams}>()(\"${1:LoadParams}\", {",
    "  ${2:table}: Schema.${3:NonEmptyString}",
    "}) {}",
    "$0"
  ),
  test: code(
    "ep-test",
    "A test that a failure is alerted",
    "test(\"${1:the failure of load is alerted}\", () =>",
    "  Effect.gen(function*() {",
    "    yield* Effect.exit(${2:Step.make(\"load\", Effect.fail(\"disk full\")).pipe(Step.hooks(AlerterHooks.failure))})",
    "    assert.deepEqual((yield* TestAlerter.sent).map(({ title }) => title), [\"${3:load failed}\"])",
    "  }).pipe(Effect.provide(TestAlerter.layer), Effect.runPromise))",
    "$0"
  ),
  config: {
    scope: "yaml",
    prefix: "ep-config",
    description: "A config file of epilogue",
    body: [
      "# yaml-language-server: \\$schema=./node_modules/effect-epilogue/dist/epilogue.schema.json",
      "pipeline: ${1:./nightly.ts#nightly}",
      "timeout: ${2:1 hour}",
      "",
      "alerter: ${3:console}",
      "stepHooks:",
      "  failure: epilogue#alerterFailure",
      "$0"
    ]
  }
}

/** The path of the file, in the folder that the editor has open. */
export const snippetsPath = ".vscode/epilogue.code-snippets"

/** Returns the text of the file. */
export const snippetsText = (): string => `${JSON.stringify(snippets, undefined, 2)}\n`
