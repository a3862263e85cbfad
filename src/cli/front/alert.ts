/** The command `alert`: sends an alert through the alerter of a config file, tests that, and delivers what it keeps. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AlertRequest } from "../request.ts"
import { alertUrls, allowOutside, config, logLevel, on, type Perform, root, rootOf, text } from "./flags.ts"

/** Loads the command, which imports the library. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../run/alert.ts")

/** @internal */
export const make = (perform: Perform) =>
  Command.make("alert", {
    config: config("The config file with the alerter; unless set, epilogue.yaml in this folder"),
    title: text("title", "TEXT", "The title; unless set, the first line of the text").pipe(
      Flag.withAlias("t"),
      Flag.optional
    ),
    body: text("body", "TEXT", "The text; unless set, it is read from standard input, if that is a pipe or a file")
      .pipe(
        Flag.withAlias("b"),
        Flag.optional
      ),
    severity: text("severity", "SEVERITY", "info, the default, success, warning, error or critical").pipe(
      Flag.withAlias("s"),
      Flag.optional
    ),
    tags: text("tag", "TAG", "A word for the routes of the alerter; may be given more than once").pipe(Flag.atLeast(0)),
    fields: text("field", "NAME=VALUE", "A name and a value to show; may be given more than once").pipe(
      Flag.atLeast(0)
    ),
    dedupeKey: text(
      "dedupe-key",
      "KEY",
      "What the alert is about: a success with the same key says that it is well again; unless set, the title"
    ).pipe(Flag.optional),
    url: text("url", "URL", "The address of a page about it, which the title leads to in channels that can").pipe(
      Flag.optional
    ),
    test: on(
      "test",
      "Send a test alert to every place that the alerter's alerts go to, past its policies, and tell where it arrived"
    ),
    flush: on("flush", "Deliver the alerts that the alerter's stores keep and that are due, as for cron"),
    json: on("json", "Print JSON, an object on each line"),
    alertUrls,
    root,
    allowOutside
  }, ({ body, config, dedupeKey, root, severity, title, url, ...input }) =>
    Effect.gen(function*() {
      const request: AlertRequest = {
        ...input,
        config: Option.getOrUndefined(config),
        title: Option.getOrUndefined(title),
        body: Option.getOrUndefined(body),
        severity: Option.getOrUndefined(severity),
        dedupeKey: Option.getOrUndefined(dedupeKey),
        url: Option.getOrUndefined(url),
        root: yield* rootOf(root),
        logLevel: yield* logLevel
      }
      yield* perform(async () => (await library()).alert(request))
    })).pipe(
      Command.withDescription(
        "Send an alert through the alerter of a config file, as a script or cron may. Its policies hold, so it may be " +
          "held back, kept or dropped, which is said. The exit code is 0 if it arrived everywhere, or a policy has it, 2 " +
          "if the config, the command line or the environment is wrong, 3 if it did not arrive. Nothing else of the " +
          "config is loaded, and the config need not name a pipeline."
      ),
      Command.withShortDescription("Send an alert, or test where alerts arrive"),
      Command.withExamples([
        {
          command: "df -h | epilogue alert --config alerts.yaml --title \"disk full\" --severity error",
          description: "Send the output of a program"
        },
        { command: "epilogue alert --config alerts.yaml --test", description: "See whether each channel works" },
        {
          command: "epilogue alert --config alerts.yaml --flush",
          description: "Post the digests that are due, from cron, though nothing else runs"
        }
      ])
    )
