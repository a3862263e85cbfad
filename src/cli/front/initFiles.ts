/** The files that `epilogue init` writes, and the commands that it prints, for each runtime and channel. */

/** The runtimes that a project may be for. */
export const runtimes = ["bun", "deno", "node"] as const

/** A runtime that a project may be for. */
export type Runtime = typeof runtimes[number]

/** The channels to choose from. The others are in the docs. */
export const channelNames = [
  "console",
  "slack",
  "discord",
  "teams",
  "telegram",
  "ntfy",
  "email",
  "pagerDuty",
  "webhook"
] as const

/** A channel of {@link channelNames}. */
export type Channel = typeof channelNames[number]

/** The variables of the environment that each channel reads. */
const variables: Readonly<Record<Channel, ReadonlyArray<string>>> = {
  console: [],
  slack: ["SLACK_WEBHOOK_URL"],
  discord: ["DISCORD_WEBHOOK_URL"],
  teams: ["TEAMS_WEBHOOK_URL"],
  telegram: ["TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"],
  ntfy: ["NTFY_TOPIC"],
  email: ["SMTP_URL", "ALERT_EMAIL_FROM", "ALERT_EMAIL_TO"],
  pagerDuty: ["PAGERDUTY_ROUTING_KEY"],
  webhook: ["ALERT_WEBHOOK_URL"]
}

/** The choices of a project. */
export interface Choices {
  readonly runtime: Runtime
  readonly channel: Channel
  /** Whether the config file is YAML, which takes a package. */
  readonly isYaml: boolean
  /** `.ts`, or `.mts` where the nearest package.json makes CommonJS modules of `.ts` files. */
  readonly extension: string
  /** The folder of the files, as in `jobs`, with slashes; `.` for the working directory. */
  readonly folder: string
  /** The path of the library's JSON Schema from there. */
  readonly schema: string
  /** Whether the folder is outside of the working directory, which then gets no workflow. */
  readonly isOutside: boolean
  /** The nearest tsconfig.json: its path, and whether it allows the extension in the import of the test. */
  readonly tsconfig: { readonly path: string; readonly allows: boolean } | undefined
}

/**
 * The settings of TypeScript for a folder that has none. Runtimes want the extension in an import, and run what has types
 * to erase and nothing else.
 */
const tsconfig = `{
  "compilerOptions": {
    "target": "ESNext",
    "module": "NodeNext",
    "strict": true,
    "verbatimModuleSyntax": true,
    "erasableSyntaxOnly": true,
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "skipLibCheck": true
  }
}
`

/** Whether a tsconfig.json says that imports may have the extension `.ts`. */
export const allowsExtensions = (tsconfig: string): boolean =>
  /"(allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/.test(tsconfig)

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

/** Names the types of Node, which a tsconfig.json need not. Deno has them, and would look for a package. */
const testOf = ({ runtime }: Choices): string => runtime === "deno" ? test : `/// <reference types="node" />\n${test}`

const test = `import { Effect, Exit } from "effect"
import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { TestAlerter, TestHook } from "effect-epilogue/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { celebrate, report } from "./hooks.ts"

test("report runs after a failure, and celebrate after a success", () =>
  Effect.runPromise(Effect.gen(function*() {
    assert.equal((yield* TestHook.run(report, Exit.fail("no such table")))._tag, "Ended")
    assert.equal((yield* TestHook.run(celebrate, Exit.succeed(3)))._tag, "Ended")
  })))

test("a step that fails posts one alert", () =>
  Effect.runPromise(
    Effect.gen(function*() {
      const load = Step.make("load", Effect.fail("no such table"))
      const nightly = Pipeline.make("nightly", load).pipe(Pipeline.stepHooks(AlerterHooks.failure))
      yield* Effect.exit(nightly)
      assert.deepEqual((yield* TestAlerter.sent).map(({ title }) => title), ["nightly › load failed"])
    }).pipe(Effect.provide(TestAlerter.layer))
  ))
`

const config = {
  pipeline: "./pipeline.ts#pipeline",
  params: { GreetingParams: { name: "world", times: 2 } },
  stepHooks: { failure: ["./hooks.ts#report", "epilogue#alerterFailure"] },
  steps: {
    print: {
      hooks: { success: "./hooks.ts#celebrate" },
      retry: { times: 2, delay: "1 second", backoff: "exponential" },
      timeout: "1 minute"
    }
  }
}

// Deno has no `node_modules` without being asked to
const schemaOf = ({ runtime, schema }: Choices): string =>
  runtime === "deno" ? "https://unpkg.com/effect-epilogue/dist/epilogue.schema.json" : schema

const yaml = (choices: Choices): string =>
  `# yaml-language-server: $schema=${schemaOf(choices)}
pipeline: ./pipeline.ts#pipeline

params:
  GreetingParams:
    name: world
    times: 2

# for every step
stepHooks:
  failure: [./hooks.ts#report, epilogue#alerterFailure]

steps:
  print:
    hooks:
      success: ./hooks.ts#celebrate
    retry: { times: 2, delay: 1 second, backoff: exponential }
    timeout: 1 minute

# the channel of the alerts${variablesOf(choices)}
alerter: ${choices.channel}
`

const variablesOf = ({ channel }: Choices): string =>
  variables[channel].length === 0 ? "" : `, which reads ${variables[channel].join(", ")}`

const json = (choices: Choices): string =>
  `${JSON.stringify({ $schema: schemaOf(choices), ...config, alerter: choices.channel }, undefined, 2)}\n`

interface Commands {
  readonly setup: string
  readonly install: string
  readonly add: (packages: ReadonlyArray<string>) => string
  /** Adds what the type checker needs. */
  readonly addTypes?: string
  readonly epilogue: string
  readonly test: string
}

const commands: Readonly<Record<Runtime, Commands>> = {
  bun: {
    setup: "uses: oven-sh/setup-bun@v2",
    install: "bun install --frozen-lockfile",
    add: (packages) => `bun add ${packages.join(" ")}`,
    addTypes: "bun add --dev typescript @types/node",
    epilogue: "bunx epilogue",
    test: "bun test"
  },
  deno: {
    setup: "uses: denoland/setup-deno@v2",
    install: "deno install --frozen",
    add: (packages) => `deno add ${packages.map((name) => `npm:${name}`).join(" ")}`,
    epilogue: "deno run -A npm:effect-epilogue",
    // types of Node, which Deno would want for the check, are no package of the project
    test: "deno test -A --no-check"
  },
  node: {
    setup: "uses: actions/setup-node@v5\n        with: { node-version: 24, cache: npm }",
    install: "npm ci",
    add: (packages) => `npm install ${packages.join(" ")}`,
    addTypes: "npm install --save-dev typescript @types/node",
    epilogue: "npx epilogue",
    test: "node --test"
  }
}

const within = ({ folder }: Choices, name: string): string => folder === "." ? name : `${folder}/${name}`

const configName = ({ isYaml }: Choices): string => isYaml ? "epilogue.yaml" : "epilogue.json"

/** Quotes a path for a shell where that is needed. */
const quoted = (path: string): string => /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`

/** Writes a command as a value of YAML. */
const yamlText = (text: string): string => /^[\w ./:-]+$/.test(text) ? text : JSON.stringify(text)

const testCommand = (choices: Choices): string => {
  const file = within(choices, `hooks.test${choices.extension}`)
  return `${commands[choices.runtime].test} ${quoted(/^(\/|\w:|\.\.\/)/.test(file) ? file : `./${file}`)}`
}

const workflow = (choices: Choices): string => {
  const { epilogue, install, setup } = commands[choices.runtime]
  const read = variables[choices.channel]
  const env = read.length === 0
    ? ""
    : `\n        env:\n${read.map((name) => `          ${name}: \${{ secrets.${name} }}`).join("\n")}`
  return `name: ${nameOf(choices)}

on: [push, pull_request]

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - ${setup}
      - run: ${install}
      - run: ${yamlText(testCommand(choices))}
      - run: ${yamlText(`${epilogue} check ${quoted(within(choices, configName(choices)))}`)}${env}
`
}

/** Returns the name of the workflow: one for each folder. */
const nameOf = ({ folder, isOutside }: Choices): string =>
  ["epilogue", ...(isOutside ? [] : folder.split(/[^\w-]+/))].filter((part) => part !== "").join("-")

/** Returns the path of the workflow: where GitHub reads it, if the working directory is that of the repository. */
export const workflowOf = (choices: Choices): string => {
  const path = `.github/workflows/${nameOf(choices)}.yml`
  return choices.isOutside ? within(choices, path) : path
}

/** Returns the files, each with its path. */
export const filesOf = (choices: Choices): ReadonlyArray<readonly [path: string, text: string]> => {
  const named = (text: string) =>
    text.replaceAll(".ts#", `${choices.extension}#`).replaceAll("hooks.ts\"", `hooks${choices.extension}"`)
  return [
    [within(choices, `pipeline${choices.extension}`), pipeline],
    [within(choices, `hooks${choices.extension}`), hooks],
    [within(choices, `hooks.test${choices.extension}`), named(testOf(choices))],
    ...(choices.runtime === "deno" || choices.tsconfig !== undefined
      ? []
      : [[within(choices, "tsconfig.json"), tsconfig] as const]),
    [within(choices, configName(choices)), named(choices.isYaml ? yaml(choices) : json(choices))],
    [workflowOf(choices), workflow(choices)]
  ]
}

/** Returns the commands to go on with. */
export const nextOf = (choices: Choices): ReadonlyArray<string> => {
  const { add, addTypes, epilogue } = commands[choices.runtime]
  const packages = [
    "effect",
    "effect-epilogue",
    ...(choices.isYaml ? ["yaml"] : []),
    ...(choices.channel === "email" ? ["nodemailer"] : [])
  ]
  return [
    add(packages),
    ...(addTypes === undefined ? [] : [addTypes]),
    ...variables[choices.channel].map((name) => `export ${name}=…`),
    `${epilogue} run ${quoted(within(choices, configName(choices)))}`,
    testCommand(choices)
  ]
}

/** Returns what a user has to change by hand, if anything. */
export const noteOf = ({ runtime, tsconfig }: Choices): string | undefined =>
  runtime === "deno" || tsconfig === undefined || tsconfig.allows
    ? undefined
    : `note: the test imports a file by its name, which tsc allows with "allowImportingTsExtensions": true and ` +
      `"noEmit": true in ${tsconfig.path}`
