/** The steps of a run that have begun and not ended. */

/** Keeps a value for each of them, by index. Most often there is one at a time, which takes no table. */
export class Running<A> {
  private index: number | undefined
  private value: A | undefined
  private more: Map<number, A> | undefined

  /** Returns `false` where the step is there already: a durable step that a crash cut off starts twice. */
  add(index: number, value: A): boolean {
    if (this.index === index || this.more?.has(index) === true) return false
    if (this.index === undefined) {
      this.index = index
      this.value = value
    } else {
      this.more = (this.more ?? new Map()).set(index, value)
    }
    return true
  }

  /** Removes a step, and returns its value. */
  take(index: number): A | undefined {
    if (this.index === index) {
      const { value } = this
      this.index = undefined
      this.value = undefined
      return value
    }
    const value = this.more?.get(index)
    this.more?.delete(index)
    return value
  }

  get isEmpty(): boolean {
    return this.index === undefined && (this.more === undefined || this.more.size === 0)
  }

  /** Removes all steps, and returns their values. */
  takeAll(): ReadonlyArray<A> {
    const all = [...(this.value === undefined ? [] : [this.value]), ...(this.more?.values() ?? [])]
    this.index = undefined
    this.value = undefined
    this.more = undefined
    return all
  }
}
