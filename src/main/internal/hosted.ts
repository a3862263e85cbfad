/** Tells `runMain` that the process belongs to the command `epilogue`, which has loaded the module that calls it. */

const key = Symbol.for("effect-epilogue/main/hosted")

// the cast: a property of this module's own. The command and a script may have copies of it, but have one global object
const marks = globalThis as { [key]?: boolean }

/** Leaves pipelines to the command, for the rest of the process. */
export const host = (): void => {
  marks[key] = true
}

/** Returns whether the process belongs to the command. */
export const isHosted = (): boolean => marks[key] === true
