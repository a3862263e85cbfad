/** Keeps what is made of an object for as long as the object lives: compiling a schema takes longer than a step. */
export const memoize = <Key extends object, Made>(make: (key: Key) => Made): (key: Key) => Made => {
  const known = new WeakMap<Key, { readonly made: Made }>()
  return (key) => {
    let entry = known.get(key)
    if (entry === undefined) {
      entry = { made: make(key) }
      known.set(key, entry)
    }
    return entry.made
  }
}
