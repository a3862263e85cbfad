/** Sizes of large inputs. */
import { all } from "./all.ts"

/**
 * The part of a large size that tests use: a tenth, or all of it in `npm run test:slow`. What takes time that grows with
 * the square of a size takes too long at a tenth of it, too.
 */
const part = all ? 1 : 0.1

/** Returns the part of `size` that this run of the tests uses. */
export const large = (size: number): number => size * part
