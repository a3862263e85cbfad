/** Matches what Deno says of a permission that the program was not given. */
export const denoFlag = /(run again with the --allow-\w+ flag)/
