/** The error of a run that resumes with code whose body asks for other steps than those that are recorded. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../../../internal/text/selfExplained.ts"

/** The fields of a {@link CodeChanged}. */
export interface CodeChangedFields {
  readonly pipelineName: string
  readonly runId: string
  /** The step that is recorded next, as `Durable.show` names it. */
  readonly recorded: string
  /** The step that the code asks for in its place; `undefined` where the body ends without it. */
  readonly asked: string | undefined
  /** The place among the steps that the body evaluates one after another, 1 for the first. */
  readonly position: number
}

const Base: new(fields: CodeChangedFields) => Cause.YieldableError & CodeChangedFields & {
  readonly _tag: "CodeChanged"
} = selfExplained(Data.TaggedError("CodeChanged")<CodeChangedFields>)

export class CodeChanged extends Base {
  override get message(): string {
    const { asked, pipelineName, position, recorded, runId } = this
    const found = asked === undefined ? "the body ends" : `the code asks for ${JSON.stringify(asked)}`
    return `the code of ${JSON.stringify(pipelineName)} has changed since run ${runId} began: as step ${position} ` +
      `${found}, where ${JSON.stringify(recorded)} is recorded. Give it the steps that it had before, by ` +
      `Durable.version, or run it again from there: epilogue durable retry ${runId} --from '${recorded}'`
  }
}

const storedTag = "effect-epilogue/CodeChanged"

/** Returns a defect as it is stored: the class of this one survives. */
export const toStored = (error: CodeChanged): object => {
  const { asked, pipelineName, position, recorded, runId } = error
  // no `message`, or it would be read as an `Error`
  return {
    _tag: storedTag,
    pipelineName,
    runId,
    recorded,
    ...(asked === undefined ? {} : { asked }),
    position
  }
}

/** Returns the error that a stored defect is, or `undefined`. */
export const fromStored = (defect: unknown): CodeChanged | undefined => {
  if (typeof defect !== "object" || defect === null || !("_tag" in defect) || defect._tag !== storedTag) {
    return undefined
  }
  const { asked, pipelineName, position, recorded, runId } = defect as unknown as CodeChangedFields // stored by the above
  return new CodeChanged({ pipelineName, runId, recorded, asked, position })
}
