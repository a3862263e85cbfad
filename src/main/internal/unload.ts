/** Listens to the end of a process on Deno. */

/**
 * Calls a function with the exit code when `Deno.exit` ends the process, of which no listener of Node's learns. Returns a
 * function that stops listening. Does nothing on other runtimes.
 */
export const onUnload = (listener: (code: number) => void): () => void => {
  // the cast: a global of Deno's, whose types are not those of this package
  const { Deno: deno } = globalThis as { readonly Deno?: { readonly exitCode: number } }
  if (deno === undefined) return () => {}
  const onEvent = () => listener(deno.exitCode)
  globalThis.addEventListener("unload", onEvent)
  return () => globalThis.removeEventListener("unload", onEvent)
}
