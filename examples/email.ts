/**
 * Sends a mail when a step fails, in plain text and HTML. Needs `nodemailer`.
 *
 *     SMTP_URL=smtp://user:password@mail.example.com:587 \
 *     ALERT_EMAIL_FROM=jobs@example.com ALERT_EMAIL_TO=me@example.com,you@example.com \
 *     bun examples/email.ts
 */
import { Effect, Schema } from "effect"
import { AlerterHooks, Params, Pipeline, Step } from "effect-epilogue"
import { Email } from "effect-epilogue/alerters"
import { runMain } from "effect-epilogue/main"

class BackupParams extends Params.Service<BackupParams>()("BackupParams", {
  database: Schema.String,
  password: Schema.RedactedFromValue(Schema.String)
}) {}

const dump = Step.make(
  "dump",
  Effect.flatMap(BackupParams, ({ database }) => Effect.fail(new Error(`no table <users> in "${database}"`)))
).pipe(Step.params(BackupParams))

export const program = Pipeline.make("backup", dump).pipe(
  Pipeline.stepHooks(AlerterHooks.failureWith((alert) => alert.with({ severity: "critical" }))),
  // the mail has the parameters, with secrets redacted
  Effect.provide(BackupParams.layerUnknown({ database: "shop", password: "s3cret" }))
)

if (import.meta.main) runMain(Effect.provide(program, Email.layerConfig()))
