/** Shows Markdown in which everything is escaped. */

/**
 * Returns the text that CommonMark shows of escaped text. Bold text, links and non-breaking spaces are resolved, and spaces
 * without width are left out.
 */
export const shownMarkdown = (markdown: string): string =>
  markdown
    .replace(/(?<!\\)((?:\\\\)*)\*\*/g, "$1")
    .replace(/(?<!\\)((?:\\\\)*)\[((?:[^\]\\]|\\.)*)\]\([^)]*\)/g, "$1$2")
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&")
    .replaceAll("\u200b", "")
    .replaceAll("\u00a0", " ")
