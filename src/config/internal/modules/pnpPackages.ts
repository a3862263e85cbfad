/** Finds packages that Yarn's Plug'n'Play keeps in archives, and not in folders `node_modules`. */
import nodeModule from "node:module"
import { readOr } from "../../../internal/text/read.ts"

/** The part of https://yarnpkg.com/advanced/pnpapi that is needed. */
interface PnpApi {
  readonly resolveToUnqualified: (
    name: string,
    issuer: string,
    options: { readonly considerBuiltins: boolean }
  ) => string | null
}

interface WithPnp {
  readonly findPnpApi?: ((issuer: string) => PnpApi | null) | undefined
}

/**
 * Returns the folder of a package that a project may import. It may be one in an archive, which Plug'n'Play shows to
 * `node:fs`. Returns `undefined` for a package that the project does not depend on, and without Plug'n'Play.
 */
export const homeOf = (name: string, folder: string): string | undefined =>
  // it throws where a package is no dependency
  readOr(undefined, () => {
    // a cast, since Plug'n'Play adds the function to Node's, whose types do not have it
    const { findPnpApi } = nodeModule as unknown as WithPnp
    const issuer = `${folder}/`
    return findPnpApi?.(issuer)?.resolveToUnqualified(name, issuer, { considerBuiltins: false }) ?? undefined
  })
