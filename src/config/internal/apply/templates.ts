/** Writes the alerts of the standard hooks by the templates of a config file. */
import type { Alert } from "../../../Alert.ts"
import * as AlerterHooks from "../../../AlerterHooks.ts"
import * as Hook from "../../../Hook.ts"
import * as Hooks from "../../../Hooks.ts"
import { labelsOf, pathText } from "../../../internal/text/stepLabel.ts"
import type { AlertTemplate, AlertTemplates } from "../schema/types.ts"

type Values = Readonly<Record<string, (alert: Alert) => string>>

const values: Values = {
  title: ({ title }) => title,
  body: ({ body = "" }) => body,
  severity: ({ severity }) => severity,
  pipeline: ({ source }) => source?.pipeline ?? "",
  run: ({ source }) => source?.runName ?? "",
  runId: ({ source }) => source?.runId ?? "",
  step: ({ source }) => source === undefined ? "" : pathText(labelsOf(source), " › "),
  attempt: ({ source }) => String(source?.attempt ?? 1)
}

/** The names that may stand in braces. */
export const placeholders: ReadonlyArray<string> = Object.keys(values)

/** The beginning of the name of a field of the alert. */
const ofField = "field."

const placeholder = /\{([^{}\n]+)\}/g

/** Returns what stands in braces and for nothing. */
export const unknownIn = (template: string): ReadonlyArray<string> =>
  [...template.matchAll(placeholder)].map(([, name = ""]) => name)
    .filter((name) => !Object.hasOwn(values, name) && !name.startsWith(ofField))

/** Fills in a template. A field that the alert does not have is an empty text. */
const filled = (template: string, alert: Alert): string =>
  template.replace(placeholder, (text, name: string) => {
    if (Object.hasOwn(values, name)) return values[name]!(alert)
    if (!name.startsWith(ofField)) return text
    const wanted = name.slice(ofField.length)
    return alert.fields.find((field) => field.name === wanted)?.value ?? ""
  })

/** Changes the alert. A title that comes out empty, as of a field that the alert does not have, stays the library's own. */
const write = ({ body, title }: AlertTemplate = {}) => (alert: Alert): Alert => {
  const texts = {
    title: title === undefined ? alert.title : filled(title, alert),
    body: body === undefined ? alert.body : filled(body, alert)
  }
  return alert.with({
    title: texts.title.trim() === "" ? alert.title : texts.title,
    body: texts.body?.trim() === "" ? undefined : texts.body
  })
}

/** The standard hooks of a file. */
export interface StandardHooks {
  /** Returns the hook that stands in for one, if that is a standard hook. */
  readonly inPlaceOf: (hook: unknown) => unknown
  /** Whether a hook has been asked for that is a standard one. */
  readonly used: () => boolean
}

/** Makes the standard hooks with the templates of a file. */
export const standardHooks = (alerts: AlertTemplates): StandardHooks => {
  const success = Hook.named(AlerterHooks.successWith(write(alerts.success)), "AlerterHooks.success")
  const failure = Hook.named(AlerterHooks.failureWith(write(alerts.failure)), "AlerterHooks.failure")
  const interrupt = Hook.named(AlerterHooks.interruptWith(write(alerts.interrupt)), "AlerterHooks.interrupt")
  const overdue = Hook.named(AlerterHooks.overdueWith(write(alerts.overdue)), "AlerterHooks.overdue")
  const changed = new Map<unknown, unknown>([
    [AlerterHooks.success, success],
    [AlerterHooks.failure, failure],
    [AlerterHooks.interrupt, interrupt],
    [AlerterHooks.overdue, overdue],
    [AlerterHooks.skip, Hook.named(AlerterHooks.skipWith(write(alerts.skip)), "AlerterHooks.skip")],
    [AlerterHooks.summary, Hook.named(AlerterHooks.summaryWith(write(alerts.summary)), "AlerterHooks.summary")],
    [AlerterHooks.all, Hooks.make(success, failure, interrupt, overdue)]
  ])
  let used = false
  return {
    inPlaceOf: (hook) => {
      used ||= changed.has(hook)
      return changed.get(hook) ?? hook
    },
    used: () => used
  }
}
