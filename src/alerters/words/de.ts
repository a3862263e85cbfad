/**
 * The German words of alerts.
 *
 * @since 0.1.0
 */
import type { AlertKind, DurationPart, Words } from "../../Alerter.ts"

/** Counts a noun, whose forms German does not derive from each other. */
const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

const alerts = (count: number): string => many(count, "Meldung", "Meldungen")
const steps = (count: number): string => many(count, "Schritt", "Schritte")
const runs = (count: number): string => many(count, "Lauf", "Läufe")

const kinds: Readonly<Record<AlertKind, (count: number) => string>> = {
  critical: (count) => `${count} kritisch`,
  error: (count) => `${count} fehlgeschlagen`,
  warning: (count) => many(count, "Warnung", "Warnungen"),
  recovered: (count) => `${count} behoben`,
  success: (count) => `${count} erfolgreich`,
  info: (count) => many(count, "Hinweis", "Hinweise"),
  more: (count) => `${count} zuvor zurückgehalten`
}

const units: Readonly<Record<DurationPart["unit"], (count: string) => string>> = {
  ms: (count) => `${count} ms`,
  s: (count) => `${count} s`,
  min: (count) => `${count} Min.`,
  h: (count) => `${count} Std.`,
  d: (count) => `${count} Tg.`
}

/**
 * The German words of alerts, for `Alerter.words`.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { german } from "effect-epilogue/alerters/words/de"
 *
 * const alerter = Alerter.layerConsole.pipe(Alerter.words(german))
 * // ✗ ERROR nightly › load ist fehlgeschlagen
 * ```
 *
 * @category words
 * @since 0.1.0
 */
export const german: Words = {
  duration: (parts) => parts.map(({ count, unit }) => units[unit](String(count).replace(".", ","))).join(" "),
  alerts,
  alertsOfKind: (kind, count) => kinds[kind](count),
  runs,
  fileSize: (bytes) => bytes < 1000 ? many(bytes, "Byte", "Byte") : `${Math.ceil(bytes / 1000)} kB`,
  andMore: (count) => `… und ${count} weitere`,
  moreFields: (count) => `und ${count} weitere`,
  andMoreNoWorse: (count) => `… und ${count} weitere, keine davon schlimmer`,
  moreOfPath: (count) => `… ${count} weitere`,
  namesAndMore: (names, count) => `${names} und ${count} weitere`,

  succeeded: (subject) => `${subject} war erfolgreich`,
  failed: (subject) => `${subject} ist fehlgeschlagen`,
  interrupted: (subject) => `${subject} wurde abgebrochen`,
  skipped: (subject) => `${subject} wurde übersprungen`,
  notApproved: (subject) => `${subject} wurde nicht genehmigt`,
  notApprovedInTime: (subject) => `${subject} wurde nicht rechtzeitig genehmigt`,
  endedAfter: (subject, duration) => `${subject} war nach ${duration} zu Ende`,
  stillRunning: (subject, duration) => `${subject} läuft nach ${duration} noch`,
  notEndedBy: (subject, time) => `${subject} war um ${time} noch nicht zu Ende`,
  recovered: (subject) => `${subject} läuft wieder`,
  recoveredTitle: (title) => `Behoben: ${title}`,
  crashed: (subject) => `${subject} ist abgestürzt`,
  failedThenCrashed: (subject) => `${subject} ist fehlgeschlagen und dann abgestürzt`,
  couldNotBegin: (name) => `${name} konnte nicht beginnen`,
  failedOutsideOfRuns: (name) => `${name} ist außerhalb seiner Läufe fehlgeschlagen`,
  setAside: (pipeline) => `Ein Lauf von ${pipeline} ist zurückgestellt`,
  setAsideUntil: (why, command) =>
    `${why}. Er geht beim nächsten Start mit passendem Code weiter oder endet mit „${command}“.`,

  summary: (title, steps) => `${title}: ${steps}`,
  summaryThough: (title, steps) => `${title}, aber ${steps}`,
  steps,
  failedOfSteps: (failed, count, over) =>
    `${failed} von ${count === 1 ? "1 Schritt" : `${count} Schritten`} fehlgeschlagen${
      over ? " und seither erfolgreich" : ""
    }`,
  stepsSucceeded: (count) => `${count} erfolgreich`,
  stepsFailed: (count, over) => `${count} fehlgeschlagen${over === 0 ? "" : ` (${over} seither erfolgreich)`}`,
  stepsInterrupted: (count) => `${count} abgebrochen`,
  stepsSkipped: (count) => `${count} übersprungen`,

  digest: (count, tally) => `${alerts(count)}: ${tally}`,
  digestWithin: (count, duration, tally) => `${alerts(count)} innerhalb von ${duration}: ${tally}`,
  digestOfQuietHours: (count, tally) => `${alerts(count)} während der Ruhezeit: ${tally}`,
  andOthers: (title, count, alike) => `${title} und ${count} weitere${alike ? " dieser Art" : ""}`,
  alertsHeldBack: (count, tally) => `${alerts(count)} zurückgehalten: ${tally}`,
  repeatsHeldBack: (count, tally) => `${many(count, "Wiederholung", "Wiederholungen")} zurückgehalten: ${tally}`,
  heldBackSince: (time, duration) => `Seit ${time}${duration === undefined ? "" : `, innerhalb von ${duration}`}.`,
  moreLikeIt: (count) => `${count} weitere dieser Art`,
  moreLikeItSince: (count, time) => `${count} weitere dieser Art seit ${time}`,
  alertsSince: (count, time, names) => `${alerts(count)} seit ${time}: ${names}`,
  otherSubjects: "andere",
  failuresInARow: (count, time) => `${many(count, "Fehlschlag", "Fehlschläge")} seit ${time}`,

  reminderOf: (number, title) => `Erinnerung ${number}: ${title}`,
  reminderNumber: (number, of, isLast) =>
    `${number}${of === undefined ? "" : ` von ${of}`}${isLast ? ", die letzte" : ""}`,
  escalated: (title) => `Eskaliert: ${title}`,
  acknowledgedBy: (person, title) => `Von ${person} bestätigt: ${title}`,
  toldTimes: (count) => `${count}-mal`,

  exitCodeIs: (code) => `Exit-Code ${code ?? "unbekannt"}`,
  killedBy: (signal) => `durch ${signal} beendet`,
  outOfMemory: (how) => `kein Speicher mehr, ${how}`,
  endedHowAfter: (how, duration) => `${how}, nach ${duration}`,
  endedHowBeforeRun: (how, duration) => `${how}, nach ${duration} und vor dem Beginn des Laufs`,
  endedHowBeforeAlert: (how) => `${how}, bevor eine Meldung darüber zugestellt war`,
  stoppedBy: (signal, duration) => `durch ${signal} gestoppt, nach ${duration}`,
  heldBackBy: (policy, how) => `von ${policy} zurückgehalten, als der Prozess endete (${how})`,
  underWay: (channel, how) =>
    `unterwegs${channel === undefined ? "" : ` zu ${channel}`}, als der Prozess endete (${how}): vielleicht angekommen`,
  notPosted: (count) => `${alerts(count)} vor dem Ende des Prozesses nicht verschickt`,
  digestNotPosted: (count, tally) => `${alerts(count)} vor dem Ende des Prozesses nicht verschickt: ${tally}`,
  runsUnderWay: (count) =>
    count === 0
      ? "Es war kein Lauf im Gang"
      : `${runs(count)} im Gang: geht weiter, sobald ein Prozess bearbeitet, was in der Datenbank steht`,
  runIn: (runId, steps) => `Lauf ${runId}${steps === undefined ? "" : `, in ${steps}`}`,
  notResponding: "sein Prozess antwortet nicht: Er ist angehalten, oder sein Thread ist blockiert",

  pipeline: "Pipeline",
  run: "Lauf",
  step: "Schritt",
  attempt: "Versuch",
  tookTime: "Dauer",
  failedSteps: (count) => count === 1 ? "fehlgeschlagener Schritt" : "fehlgeschlagene Schritte",
  undone: "rückgängig gemacht",
  notUndone: "nicht rückgängig gemacht",
  errorsField: (name) => `${name} des Fehlers`,
  runningFor: "läuft seit",
  since: "begonnen",
  deadline: "Frist",
  limit: "Grenze",
  running: "im Gang",
  stepCounts: "Schritte",
  slowest: "am langsamsten",
  first: "erste",
  last: "letzte",
  heldBack: "zurückgehalten",
  notAttached: "nicht angehängt",
  notShown: "nicht gezeigt",
  inARow: "in Folge",
  notDeliveredBy: "nicht zugestellt von",
  failures: "Fehlschläge",
  failingSince: "fehlgeschlagen seit",
  failingFor: "Dauer der Störung",
  openSince: "offen seit",
  told: "gemeldet",
  toAcknowledge: "zum Bestätigen",
  reminder: "Erinnerung",
  configFile: "Konfiguration",
  exitCode: "Exit-Code",
  signal: "Signal",
  lastStep: "letzter Schritt",
  repeated: "wiederholt",
  more: "weitere",
  setAsideRun: "Lauf",
  link: "Link",

  lastLines: "zuletzt protokolliert:",
  open: "Öffnen",
  address: "öffnen",
  attached: (name) => `Anhang: ${name}`
}
