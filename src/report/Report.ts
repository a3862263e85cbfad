/**
 * Shows runs: their progress while they go on, a record of each, a timeline, metrics. Each of these observes
 * `RunEvent`s; a run without them pays nothing for them.
 *
 * @since 0.1.0
 */
export { attachTimeline, type AttachTimelineOptions } from "./AttachTimeline.ts"
export {
  type Change,
  compare,
  type ComparedRun,
  type ComparedStep,
  type CompareOptions,
  type Comparison,
  type Difference,
  type Evaluated
} from "./Compare.ts"
export { Event, fromRunEvent } from "./Event.ts"
export { layerMetrics } from "./Metrics.ts"
export { layerProgress, pauseProgress, type ProgressOptions } from "./Progress.ts"
export {
  find,
  type FolderOptions,
  follow,
  type FollowOptions,
  type Keep,
  layerRecord,
  list,
  type ListOptions,
  type PlaceOptions,
  prune,
  type PruneOptions,
  read,
  type ReadOptions,
  type Recorded,
  RecordLine,
  type RecordOptions,
  type Skipped,
  type Status
} from "./Record.ts"
export { isRecordError, RecordError, type RecordErrorFields, RecordErrorReason } from "./RecordError.ts"
export {
  badge,
  type JobSummaryOptions,
  junit,
  type JunitOptions,
  layerJobSummary,
  layerJunit,
  type LayerJunitOptions,
  markdown,
  type MarkdownOptions
} from "./Summary.ts"
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
export { DurableRuns, type DurableRunsError, layerUi, type UiOptions } from "./Ui.ts"
export { UiError, type UiErrorFields } from "./UiError.ts"
