/** Says how much of the tests runs. */
import process from "node:process"

/** Whether the tests run on each runtime, with full sizes and with all inputs: `TESTS=all`, as in `npm run test:slow`. */
export const all = process.env["TESTS"] === "all"
