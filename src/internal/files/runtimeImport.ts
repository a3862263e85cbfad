/**
 * Imports a module that no bundler may take in, or look for: one that is known at run time alone, or a package with
 * machine code in it, which bundlers can't read. Runtimes find a package beside the program or the bundle.
 *
 * The specifier is a parameter, since bundlers replace constants by their values. Without the comments webpack would put
 * an empty module in the place of any, and Vite would warn
 * (https://webpack.js.org/api/module-methods/#webpackignore, https://vite.dev/guide/features#dynamic-import).
 */
export const runtimeImport = (specifier: string): Promise<Readonly<Record<string, unknown>>> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ specifier)
