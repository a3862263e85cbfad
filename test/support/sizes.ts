/** Sizes of large inputs. */
import process from "node:process"

/**
 * The part of a large size that tests use: a tenth, or all of it with `SIZES=full`, as in `npm run test:slow`. What takes
 * time that grows with the square of a size takes too long at a tenth of it, too.
 */
const part = process.env["SIZES"] === "full" ? 1 : 0.1

/** Returns the part of `size` that this run of the tests uses. */
export const large = (size: number): number => size * part
