/** The snippets that `epilogue init --editor` writes, as an editor inserts them. */
export { snippets } from "../../src/cli/front/editorFiles.ts"

/** Returns what an editor inserts of a snippet where nothing is filled in. */
export const inserted = (body: ReadonlyArray<string>): string =>
  `${
    body.join("\n").replace(/\$\{\d+:((?:[^{}]|\{[^{}]*\})*)\}/g, "$1").replace(/(?<!\\)\$\d/g, "").replace(
      /\\\$/g,
      "$"
    )
  }\n`
