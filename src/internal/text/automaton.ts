/**
 * Finds many words in one pass over a text, by the automaton of Aho and Corasick
 * (https://doi.org/10.1145/360825.360855): the time is linear in the text, however many words there are.
 */

/** A word to search for. */
export interface Word {
  readonly units: Uint16Array
  /** The fewest units of its beginning that are found before an ellipsis, which says that the text was cut. */
  readonly marked: number
  /** The fewest units of its beginning that are found where nothing says so: before a line end, say. */
  readonly unmarked: number
}

/** Called with each range that is found. Ranges may overlap. */
export type OnFound = (start: number, end: number) => void

/** So many units are hardly there by chance, even if they are words that end where a word does. */
const hardlyByChance = 24

const kindOf = (unit: number): number =>
  unit >= 0x61 && unit <= 0x7a ? 1 : unit >= 0x41 && unit <= 0x5a ? 2 : unit >= 0x30 && unit <= 0x39 ? 4 : 0

/** Whether text is unlike words: it has digits, or letters of both cases. */
const isNoWord = (kinds: number): boolean => kinds > 2

const isAlphanumeric = (unit: number | undefined): boolean =>
  unit !== undefined && (kindOf(unit) > 0 || (unit > 0xbf && unit < 0x2000) || unit > 0x2fff)

const ellipsis = 0x2026
const dot = 0x2e

/**
 * A `+` stands for a space in a URL's query, and a space for a tab in a line that was made printable: the search takes
 * the three for one.
 */
const folded = (unit: number): number => unit === 0x2b || unit === 9 ? 0x20 : unit

/** Units that have a row of their own in the table of the root. */
const ascii = 128

/** An automaton for a set of words, whose states are numbers. State 0 is the root. */
export class Automaton {
  // one array for each property, since a state as an object would take several times the memory
  readonly #unit: Uint16Array
  readonly #child: Int32Array
  readonly #sibling: Int32Array
  /** The state of the longest proper suffix. */
  readonly #fallback: Int32Array
  /** The lengths of the longest word, and beginnings of words, that end in a state; 0 where there is none. */
  readonly #found: Int32Array
  readonly #marked: Int32Array
  readonly #unmarked: Int32Array
  readonly #roots = new Int32Array(ascii)
  readonly #otherRoots = new Map<number, number>()
  readonly #backwards: boolean
  #size = 1

  /** With `backwards`, words are read from their end, and what is left of a word that was cut is its end. */
  constructor(words: ReadonlyArray<Word>, backwards: boolean) {
    const states = words.reduce((sum, { units }) => sum + units.length, 1)
    this.#unit = new Uint16Array(states)
    this.#child = new Int32Array(states)
    this.#sibling = new Int32Array(states)
    this.#fallback = new Int32Array(states)
    this.#found = new Int32Array(states)
    this.#marked = new Int32Array(states)
    this.#unmarked = new Int32Array(states)
    this.#backwards = backwards
    for (const word of words) this.#add(word)
    this.#link()
  }

  #add({ marked, units, unmarked }: Word): void {
    const { length } = units
    const at = (index: number): number => folded(units[this.#backwards ? length - 1 - index : index]!)
    let state = 0
    // small letters, capitals and digits, as bits
    let kinds = 0
    for (let i = 0; i < length; i++) {
      const unit = at(i)
      kinds |= kindOf(unit)
      state = this.#step(state, unit) || this.#grow(state, unit)
      const kept = i + 1
      if (kept === length) break
      if (kept >= marked) this.#marked[state] = kept
      const isWithin = isAlphanumeric(unit) && isAlphanumeric(at(kept))
      if (kept >= unmarked && (isWithin || isNoWord(kinds) || kept >= hardlyByChance)) this.#unmarked[state] = kept
    }
    this.#found[state] = length
  }

  #grow(state: number, unit: number): number {
    const made = this.#size++
    this.#unit[made] = unit
    if (state !== 0) {
      this.#sibling[made] = this.#child[state]!
      this.#child[state] = made
    } else if (unit < ascii) this.#roots[unit] = made
    else this.#otherRoots.set(unit, made)
    return made
  }

  /** Returns the state that follows on a unit, or 0 where none does. */
  #step(state: number, unit: number): number {
    if (state === 0) return unit < ascii ? this.#roots[unit]! : this.#otherRoots.get(unit) ?? 0
    let next = this.#child[state]!
    while (next !== 0 && this.#unit[next] !== unit) next = this.#sibling[next]!
    return next
  }

  #follow(state: number, unit: number): number {
    let from = state
    let next = this.#step(from, unit)
    while (next === 0 && from !== 0) {
      from = this.#fallback[from]!
      next = this.#step(from, unit)
    }
    return next
  }

  /** Links each state with that of its longest proper suffix, which is less deep, and so complete before. */
  #link(): void {
    const queue = [...this.#roots.filter((state) => state !== 0), ...this.#otherRoots.values()]
    for (let i = 0; i < queue.length; i++) {
      const state = queue[i]!
      const shorter = this.#fallback[state]!
      this.#found[state] ||= this.#found[shorter]!
      this.#marked[state] ||= this.#marked[shorter]!
      this.#unmarked[state] ||= this.#unmarked[shorter]!
      for (let next = this.#child[state]!; next !== 0; next = this.#sibling[next]!) {
        this.#fallback[next] = this.#follow(shorter, this.#unit[next]!)
        queue.push(next)
      }
    }
  }

  /** Searches units for words, and for what is left of words where the text was cut. */
  search(units: Uint16Array, onFound: OnFound): void {
    const backwards = this.#backwards
    const found = this.#found
    const marked = this.#marked
    const roots = this.#roots
    const { length } = units
    const direction = backwards ? -1 : 1
    const last = backwards ? -1 : length
    let state = 0
    for (let i = backwards ? length - 1 : 0; i !== last; i += direction) {
      const unit = folded(units[i]!)
      if (state === 0 && unit < ascii) {
        state = roots[unit]!
        if (state === 0) continue
      } else state = this.#follow(state, unit)
      let matched = found[state]!
      if (marked[state] !== 0) matched = Math.max(matched, this.#cutLength(state, units, i + direction))
      if (matched === 0) continue
      if (backwards) onFound(i, i + matched)
      else onFound(i + 1 - matched, i + 1)
    }
  }

  /** Returns the length of what is left of a word before the unit `next`, if the text seems to be cut there, or 0. */
  #cutLength(state: number, units: Uint16Array, next: number): number {
    const unit = units[next]
    const direction = this.#backwards ? -1 : 1
    const isEllipsis = unit === ellipsis ||
      (unit === dot && units[next + direction] === dot && units[next + 2 * direction] === dot)
    return isEllipsis ? this.#marked[state]! : isAlphanumeric(unit) ? 0 : this.#unmarked[state]!
  }
}
