import { expect, test } from "bun:test"
import { Effect } from "effect"
import { someRuntimes } from "../support/runtimes.ts"
import { smtpServer } from "../support/smtpServer.ts"
import { runWith } from "./support.ts"

test.each(someRuntimes())(
  "the script sends a mail about the failure, without secrets, on %s",
  (runtime) =>
    Effect.gen(function*() {
      const server = yield* smtpServer({ auth: { user: "jobs", pass: "p@ss" } })
      const { code, stderr, stdout } = yield* Effect.promise(() =>
        runWith(
          {
            SMTP_URL: `smtp://jobs:p%40ss@127.0.0.1:${server.port}`,
            ALERT_EMAIL_FROM: "Jobs <jobs@example.com>",
            ALERT_EMAIL_TO: "me@example.com,you@example.com"
          },
          runtime,
          "email"
        )
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
      expect(stderr).not.toMatch(/s3cret|p@ss|p%40ss/)
      const [mail, ...more] = yield* server.mails
      expect(more).toEqual([])
      expect(server.received[0]).toMatchObject({ to: ["me@example.com", "you@example.com"], user: "jobs" })
      expect(mail!.subject).toBe("backup › dump failed")
      expect(mail!.text).toContain("no table <users> in \"shop\"")
      expect(mail!.html).toContain("no table &lt;users&gt; in &quot;shop&quot;")
      expect(mail!.text).toContain("<redacted>")
      expect(server.received[0]!.raw).not.toContain("s3cret")
    }).pipe(Effect.scoped, Effect.runPromise),
  60_000
)
