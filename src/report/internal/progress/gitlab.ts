/**
 * Formats runs for the job log of GitLab CI, where each run is a section that can be folded
 * (https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections). GitLab takes a line for the beginning or the
 * end of a section only with control characters, which no name or message has once it is printable.
 */
import type { RunEvent } from "../../../RunEvent.ts"
import { grouped } from "./groups.ts"

const clear = "\u001b[0K"

/** @internal */
export const make = (): (event: RunEvent) => ReadonlyArray<string> => {
  let count = 0
  const seconds = (event: RunEvent): number => Math.floor(event.at.epochMilliseconds / 1000)
  // a number, since names may have only letters, digits and "_.-"
  const name = (): string => `epilogue_run_${count}`
  return grouped({
    begin: (title, event) => {
      count++
      return `${clear}section_start:${seconds(event)}:${name()}\r${clear}${title}`
    },
    end: (event) => `${clear}section_end:${seconds(event)}:${name()}\r${clear}`,
    plain: (line) => line,
    more: () => []
  })
}
