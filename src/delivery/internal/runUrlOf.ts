/** Makes addresses of runs from a template. */
import type { AlertSource } from "../../Alert.ts"

const values: Readonly<Record<string, (source: AlertSource) => string>> = {
  pipeline: ({ pipeline }) => pipeline,
  runId: ({ runId }) => runId,
  runName: ({ runName }) => runName,
  step: ({ stepPath }) => stepPath.join("/")
}

const placeholder = /\{(\w+)\}/g

/** The names of the placeholders. */
export const placeholders: ReadonlyArray<string> = Object.keys(values)

/** Returns the placeholders of a template that stand for nothing. */
export const unknownIn = (template: string): ReadonlyArray<string> =>
  [...template.matchAll(placeholder)].map(([, name = ""]) => name).filter((name) => !Object.hasOwn(values, name))

/** Returns a function that replaces the placeholders of a template. Unknown ones stay as they are. */
export const runUrlOf = (template: string) => (source: AlertSource): string =>
  template.replace(placeholder, (text, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    // well-formed, since `encodeURIComponent` throws for half of a surrogate pair
    return value === undefined ? text : encodeURIComponent(value(source).toWellFormed())
  })
