/** Follows the record of one run, as a timeline. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Recorded } from "../../Recorded.ts"
import type { RecordError } from "../../RecordError.ts"
import { Runs } from "../events/model.ts"
import { mostBytes, read } from "../record/read.ts"
import { type Content, type Part, partsOf, type Timeline } from "../timeline/data.ts"
import { Contents, timelineOf } from "../timeline/rows.ts"

/** How long changes are gathered, and for how long of a run with thousands of steps, which browsers lay out anew. */
const pace = (rows: number): Duration.Duration => rows < 5000 ? Duration.millis(500) : Duration.seconds(2)

/** Reads the record of a run to its present end. */
export const timelineAt = ({ path, runId }: Recorded): Effect.Effect<Timeline, RecordError> => {
  const runs = new Runs({ logs: true })
  return read(path, { onSkipped: () => {}, maxBytes: mostBytes, follow: false, runId }).pipe(
    Stream.runForEach((event) => Effect.sync(() => runs.apply(event))),
    Effect.map(() => timelineOf(runs))
  )
}

/** Gives the rows of a run that goes on, and whenever something has changed which rows differ, until it ends. */
export const timelines = ({ path, runId }: Recorded): Stream.Stream<ReadonlyArray<Part>, RecordError> =>
  Stream.suspend(() => {
    const runs = new Runs({ logs: true })
    const contents = new Contents()
    const state = { changed: false }
    let sent: ReadonlyArray<Content> = []
    const next = Effect.sync(() => {
      state.changed = false
      const before = sent
      sent = contents.of(runs)
      return partsOf(before, sent)
    })
    const paced: Stream.Stream<ReadonlyArray<Part>> = Stream.unfold(
      Duration.millis(500),
      (wait) =>
        Effect.gen(function*() {
          yield* Effect.sleep(wait)
          while (!state.changed) {
            yield* Effect.sleep("100 millis")
          }
          return [yield* next, pace(sent.length)] as const
        })
    )
    const events = read(path, { onSkipped: () => {}, maxBytes: mostBytes, follow: true, runId }).pipe(
      Stream.mapArray((events) => {
        for (const event of events) {
          runs.apply(event)
        }
        state.changed = true
        return events
      })
    )
    return Stream.concat(
      Stream.merge(Stream.drain(events), paced, { haltStrategy: "left" }),
      Stream.fromEffect(next)
    )
  })
