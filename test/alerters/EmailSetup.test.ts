import { Config, ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { Email } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { cleartextServer, smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const user = "mailer@example.com"
const pass = `pä:ss@${canary}%`

it.live("email: layerConfig reads the environment", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth: { user, pass } })
    const withEnv = (SMTP_URL: string, env: Readonly<Record<string, string>> = {}) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post("hello")).pipe(
        Effect.provide(
          Email.layerConfig().pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({
            SMTP_URL,
            ALERT_EMAIL_FROM: "Jobs <jobs@example.com>",
            ALERT_EMAIL_TO: "ops@example.com, On call <oncall@example.com>",
            ...env
          }))))
        )
      )
    const login = `${encodeURIComponent(user)}:${encodeURIComponent(pass)}`
    yield* withEnv(`smtp://${login}@127.0.0.1:${server.port}`)
    const [mail] = server.received
    assert.deepEqual([mail!.user, mail!.to], [user, ["ops@example.com", "oncall@example.com"]])

    const bad = [
      pass,
      `http://${login}@h`,
      `smtp://${login}`,
      `smtp://u:p#${canary}@h`,
      `smtp://u:%${canary}@h`,
      "smtp://"
    ]
    for (const url of bad) {
      const error = yield* Effect.flip(withEnv(url))
      assert.ok(error._tag === "AlerterError" && error.reason._tag === "InvalidAlert", url)
      assert.deepEqual(leaks([error]), [])
    }
    const missing = yield* Effect.flip(
      Layer.build(Email.layerConfig()).pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ ALERT_EMAIL_FROM: "a@b" })))
      )
    )
    assert.equal(missing._tag, "ConfigError")
  }))

it.live("email: the server's URL may say that connections need not be encrypted", () =>
  Effect.gen(function*() {
    const { lines, port } = yield* cleartextServer
    const from = (url: string) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post("hello")).pipe(
        Effect.provide(Email.layerConfig({
          url: Config.succeed(Redacted.make(url)),
          from: Config.succeed("jobs@example.com"),
          to: Config.succeed("ops@example.com"),
          retries: Config.succeed(0),
          timeout: Config.succeed("300 millis")
        })),
        Effect.result
      )
    const mailed = () => lines.splice(0).some((line) => line.startsWith("MAIL FROM"))
    yield* from(`smtp://127.0.0.1:${port}?tls=required`)
    assert.equal(mailed(), false)
    for (const tls of ["opportunistic", "none"]) {
      yield* from(`smtp://127.0.0.1:${port}/?tls=${tls}`)
      assert.equal(mailed(), true)
    }
    const wrong = yield* from(`smtp://127.0.0.1:${port}?tls=no`)
    assert.match(wrong._tag === "Failure" ? wrong.failure.message : "", /no address such as/)
  }))

it.live("email: wrong options are an error when the layer is built", () =>
  Effect.gen(function*() {
    const good: Email.SmtpOptions = {
      host: "localhost",
      user,
      password: Redacted.make(pass),
      from: "jobs@example.com",
      to: "ops@example.com"
    }
    yield* Layer.build(Email.layer(good))
    const wrong: ReadonlyArray<readonly [Partial<Email.SmtpOptions>, RegExp]> = [
      [{ to: [] }, /no recipients/],
      [{ to: ["ops@example.com", "nobody"] }, /recipients is no address/],
      [{ from: "" }, /sender is no address/],
      [{ to: "@" }, /recipients is no address/],
      [{ from: "Alerts <@>" }, /sender is no address/],
      [{ from: "jobs@example.com\r\nBcc: evil@example.com" }, /sender has more than one line/],
      [{ to: ["ops@example.com", "ops@example.com\nBcc: evil@example.com"] }, /recipients has more than one line/],
      [{ user: undefined }, /a password a user/],
      [{ user: "" }, /a password a user/],
      [{ host: "" }, /no host/],
      [{ ca: "ca.pem" }, /ca is no certificate as PEM/],
      [{ tls: "none", secure: true }, /tls is none/],
      [{ tls: "none", port: 465 }, /tls is none/],
      [{ maxConnections: 0 }, /maxConnections is no whole number/],
      [{ messagesPerConnection: 2.5 }, /messagesPerConnection is no whole number/],
      ...[0, -1, 25.5, 70_000, Number.NaN].map((port) => [{ port }, /port is no number from 1 to 65535/] as const)
    ]
    for (const [options, expected] of wrong) {
      const error = yield* Effect.flip(Layer.build(Email.layer({ ...good, ...options })))
      assert.match(error.message, expected)
    }
  }))

it.live("email: addresses may have line ends around them", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const { from, host, to } = {
      from: "jobs@example.com\n",
      host: "127.0.0.1",
      to: "ops@example.com,\n a@example.com\n"
    }
    yield* Effect.flatMap(Alerter, (alerter) => alerter.post("hello")).pipe(
      Effect.provide(Email.layer({ from, host, to, port: server.port }))
    )
    const [mail] = server.received
    assert.deepEqual([mail!.from, mail!.to], ["jobs@example.com", ["ops@example.com", "a@example.com"]])
  }))

it.live("email: no mail contains the password, as it is or as it stands in the server's URL", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth: { user, pass } })
    // percent-encoded in part, and as encodeURIComponent does
    for (const password of [`p%c3%A4:ss%40${canary}%25`, encodeURIComponent(pass)]) {
      const url = `smtp://${encodeURIComponent(user)}:${password}@127.0.0.1:${server.port}`
      const detail = `can't connect to ${url} (${encodeURIComponent(pass)}, ${URL.parse(url)!.href})`
      yield* Effect.flatMap(Alerter, (alerter) => alerter.post(Alert.make({ title: "t", detail }))).pipe(
        Effect.provide(Email.layerConfig({
          url: Config.succeed(Redacted.make(url)),
          from: Config.succeed("jobs@example.com"),
          to: Config.succeed("ops@example.com")
        }))
      )
    }
    const mails = yield* server.mails
    assert.equal(mails.length, 2)
    assert.deepEqual(leaks(mails.map(({ html, text }) => [text, html])), [])
  }))

/** Copies the sources to a folder in which effect is the only package. */
const withoutNodemailer = Effect.acquireRelease(
  Effect.promise(async () => {
    const root = path.resolve(import.meta.dirname, "../..")
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "effect-epilogue-"))
    await fs.cp(path.join(root, "src"), path.join(folder, "src"), { recursive: true })
    await fs.mkdir(path.join(folder, "node_modules"))
    await fs.symlink(path.join(root, "node_modules/effect"), path.join(folder, "node_modules/effect"))
    return folder
  }),
  (folder) => Effect.promise(() => fs.rm(folder, { recursive: true }))
)

it.live("email: without nodemailer the layer says what to install, and all other modules load", () =>
  Effect.gen(function*() {
    const folder = yield* withoutNodemailer
    yield* Effect.promise(() =>
      fs.writeFile(
        path.join(folder, "script.ts"),
        `import * as Effect from "effect/Effect"
         import * as Layer from "effect/Layer"
         import { Email } from "./src/alerters/index.ts"
         const layer = Email.layer({ host: "localhost", from: "a@example.com", to: "b@example.com" })
         const error = await Effect.runPromise(Effect.scoped(Effect.flip(Layer.build(layer))))
         console.log(error.message)`
      )
    )
    const { stdout } = yield* Effect.promise(() =>
      promisify(execFile)(process.execPath, ["--no-install", "script.ts"], { cwd: folder })
    )
    assert.equal(stdout.trim(), "email: could not be reached: it needs a package: npm install nodemailer")
  }))
