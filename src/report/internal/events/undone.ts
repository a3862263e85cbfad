/** Tells which steps a rollback has undone. */
interface Hook {
  readonly kind: string
  readonly outcome: string
}

/** Whether rollback hooks have undone a step: one of its hooks has run, and none has failed. */
export const isUndone = (hooks: ReadonlyArray<Hook>): boolean => {
  const outcomes = hooks.flatMap(({ kind, outcome }) => kind === "rollback" ? [outcome] : [])
  return outcomes.includes("ended") && !outcomes.includes("failed")
}
