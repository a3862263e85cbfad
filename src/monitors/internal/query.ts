/** Texts in the query of an address. */
import { fitEnd, type Size } from "../../internal/text/fit.ts"

/** Servers and proxies accept lines of 8 KB by default. A text gets this much of it, percent-encoded. */
const maxEncoded = 4_000

const encoded: Size = (text) => encodeURIComponent(text.toWellFormed()).length

/** Cuts a text to so many characters, and to what fits into an address. */
export const fitQuery = (text: string, limit: number): string => fitEnd(fitEnd(text, limit), maxEncoded, encoded)
