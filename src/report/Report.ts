/**
 * What shows a run: its progress while it goes, a record of it, a timeline, metrics. All of it are observers of
 * `RunEvent`: a run without them pays nothing.
 *
 * @since 0.1.0
 */
export { attachTimeline, type AttachTimelineOptions } from "./AttachTimeline.ts"
export { Event, fromRunEvent } from "./Event.ts"
export { metrics } from "./Metrics.ts"
export { progress, type ProgressOptions, progressWith } from "./Progress.ts"
export {
  find,
  type FolderOptions,
  Line,
  list,
  type ListOptions,
  prune,
  type PruneOptions,
  read,
  type ReadOptions,
  record,
  type Recorded,
  type Skipped,
  type Status
} from "./Record.ts"
export { isRecordError, RecordError, type RecordErrorFields, RecordErrorReason } from "./RecordError.ts"
export {
  html,
  type HtmlOptions,
  mermaid,
  type MermaidOptions,
  png,
  type PngOptions,
  RendererMissing,
  type RendererMissingFields,
  svg,
  type SvgOptions
} from "./Timeline.ts"
