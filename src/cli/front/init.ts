/** `epilogue init`: writes a small pipeline, its hooks and a config file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { createRequire } from "node:module"
import { UsageError } from "../request.ts"
import { out } from "../terminal.ts"

const pipeline = `import { Console, Effect, Schema } from "effect"
import { Params, Pipeline, Step } from "effect-epilogue"

/** The config file sets these, and they are checked before anything runs. */
export class GreetingParams extends Params.Service<GreetingParams>()("GreetingParams", {
  name: Schema.NonEmptyString,
  times: Schema.Int
}) {}

// exported, so that "epilogue explain" finds it
export const compose = Step.make(
  "compose",
  Effect.gen(function*() {
    const { name, times } = yield* GreetingParams
    return Array.from({ length: times }, () => \`Hello, \${name}!\`)
  })
).pipe(Step.params(GreetingParams))

const print = Step.fn("print")((lines: ReadonlyArray<string>) =>
  Effect.forEach(lines, (line) => Console.log(line), { discard: true })
)

export const pipeline = Pipeline.make("hello", Effect.flatMap(compose, print))
`

const hooks = `import { Cause, Effect } from "effect"
import { Hook, StepContext } from "effect-epilogue"

/** Logs the failure of a step. */
export const report = Hook.onFailure((cause: Cause.Cause<unknown>) =>
  Effect.gen(function*() {
    const { stepName } = yield* StepContext
    yield* Effect.logError(\`\${stepName} failed\`, Cause.pretty(cause))
  })
)

/** Logs the success of a step. */
export const celebrate = Hook.onSuccess(() =>
  Effect.gen(function*() {
    const { stepName } = yield* StepContext
    yield* Effect.log(\`\${stepName} succeeded\`)
  })
)
`

const yaml = `pipeline: ./pipeline.ts#pipeline

params:
  GreetingParams:
    name: world
    times: 2

# for every step
stepHooks:
  failure: ./hooks.ts#report

steps:
  print:
    hooks:
      success: ./hooks.ts#celebrate
    retry: { times: 2, delay: 1 second, backoff: exponential }
    timeout: 1 minute

# the channel for alerts, which a hook posts: failure: [ ./hooks.ts#report, epilogue#alerterFailure ]
# alerter:
#   slack:
#     webhookUrl: \${SLACK_WEBHOOK}
`

const json = `${
  JSON.stringify(
    {
      pipeline: "./pipeline.ts#pipeline",
      params: { GreetingParams: { name: "world", times: 2 } },
      stepHooks: { failure: "./hooks.ts#report" },
      steps: {
        print: {
          hooks: { success: "./hooks.ts#celebrate" },
          retry: { times: 2, delay: "1 second", backoff: "exponential" },
          timeout: "1 minute"
        }
      }
    },
    null,
    2
  )
}\n`

/** Whether config files may be YAML: the library resolves the package `yaml` from the same place as this module. */
const hasYaml = (): boolean => {
  try {
    createRequire(import.meta.url).resolve("yaml")
    return true
  } catch {
    return false
  }
}

/**
 * Returns the extension for modules in a folder: `.mts` where the nearest `package.json` lacks `"type": "module"`, since
 * Node then takes `.ts` files for CommonJS modules. `npm init` sets `"type": "commonjs"`.
 */
const extensionIn = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    for (let at = path.resolve(folder);; at = path.dirname(at)) {
      const text = yield* Effect.option(fs.readFileString(path.join(at, "package.json")))
      if (text._tag === "Some") return /"type"\s*:\s*"module"/.test(text.value) ? ".ts" : ".mts"
      if (at === path.dirname(at)) return ".ts"
    }
  })

const refuse = (message: string) => new UsageError({ message })

/** Writes all files, or none if one of them exists. */
export const write = (folder: string): Effect.Effect<void, UsageError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const config = hasYaml() ? "epilogue.yaml" : "epilogue.json"
    const extension = yield* extensionIn(folder)
    const files = [
      [`pipeline${extension}`, pipeline],
      [`hooks${extension}`, hooks],
      [config, (config.endsWith(".yaml") ? yaml : json).replaceAll(".ts#", `${extension}#`)]
    ] as const
    const at = (name: string) => path.join(folder, name)
    // `fs.exists` follows links, and does not see one that leads nowhere
    const isLink = (name: string) => Effect.map(Effect.option(fs.readLink(name)), Option.isSome)
    if (yield* isLink(path.resolve(folder))) {
      return yield* refuse(`nothing written, since ${folder} is a symbolic link: name the folder that it points to`)
    }
    const there = yield* Effect.filter(
      files,
      ([name]) => Effect.filterOrElse(fs.exists(at(name)), identity, () => isLink(at(name)))
    )
    if (there.length > 0) {
      return yield* refuse(`nothing written, since these files exist: ${there.map(([name]) => at(name)).join(", ")}`)
    }
    yield* fs.makeDirectory(folder, { recursive: true })
    // "wx" follows no link, and fails if another process has created the file since the check
    yield* Effect.forEach(files, ([name, text]) => fs.writeFileString(at(name), text, { flag: "wx" }), {
      discard: true
    })
    const lines = [
      ...files.map(([name]) => `wrote ${at(name)}`),
      "",
      "next:",
      `  npm install effect effect-epilogue${config.endsWith(".yaml") ? " yaml" : ""}`,
      `  epilogue run ${at(config)}`
    ]
    for (const line of lines) out(line)
  }).pipe(Effect.catchTag("PlatformError", ({ message }) => refuse(message)))
