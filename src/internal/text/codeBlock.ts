/**
 * Makes a block of code in Markdown, whose fence no line of the text ends
 * (https://spec.commonmark.org/0.31.2/#fenced-code-blocks).
 */
export const codeBlock = (text: string, language = ""): string => {
  const longest = (text.match(/`{3,}/g) ?? []).reduce((longest, { length }) => Math.max(longest, length), 2)
  const fence = "`".repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}
