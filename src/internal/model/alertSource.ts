/** Changes every text in the source of an alert. */
import type { AlertSource } from "../../Alert.ts"

/** Applies `change` to each text, after `shorten` to each path. */
export const mapSource = (
  source: AlertSource,
  change: (text: string) => string,
  shorten: (path: ReadonlyArray<string>) => ReadonlyArray<string> = (path) => path
): AlertSource => ({
  ...source,
  pipeline: change(source.pipeline),
  runId: change(source.runId),
  runName: change(source.runName),
  stepPath: shorten(source.stepPath).map(change),
  ...(source.stepKey === undefined ? {} : { stepKey: change(source.stepKey) }),
  ...(source.stepLabels === undefined ? {} : { stepLabels: shorten(source.stepLabels).map(change) })
})
