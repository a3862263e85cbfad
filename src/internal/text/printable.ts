/**
 * Makes text that others wrote printable: what a terminal or a log would obey, and what nobody can see, is shown.
 *
 * **Details**
 *
 * There is one notation: a character that is not printed as itself is shown by its code point, as `\u{1b}`. These are
 * the C0 and C1 controls (so escape sequences have no effect), halves of surrogate pairs, the separators of lines and
 * paragraphs, and all characters without a shape of their own (Unicode's `Default_Ignorable_Code_Point`): controls of
 * the direction of text, zero-width spaces, tags. Colours and styles of a terminal (`ESC [ … m`) are left out instead:
 * they have no content, and messages of compilers and test runners are full of them.
 *
 * Zero-width joiners and variation selectors stay where they are a part of an emoji or of a word: `👩‍🚀`, `می‌خواهم`.
 *
 * The order, where several apply: secrets are removed first, then the text is made printable, then it is cut.
 */

/** Matches text in which nothing has to be replaced: nearly all text there is. */
// oxlint-disable-next-line no-control-regex -- tabs and line feeds stay in text of several lines
export const plain = /^[\t\n\u0020-\u007e]*$/

/** SGR, "select graphic rendition" of ECMA-48. */
// oxlint-disable-next-line no-control-regex -- an escape sequence
const styles = /\u001b\[[\d;:]*m/g

/** Matches the code that ends all styles. */
// oxlint-disable-next-line no-control-regex -- an escape sequence
const noStyle = /^\u001b\[0?m$/

// The patterns below stand in functions: Unicode's properties take a millisecond of each start otherwise.

/** Returns a pattern of what is not printed as itself, tabs and line feeds included. */
const unprintable = (): RegExp =>
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/gu

/** Returns whether an invisible character is a part of the emoji or the word that it stands in. */
const isPart = (character: string, at: number, text: string): boolean => {
  const code = character.codePointAt(0)!
  const before = text.slice(Math.max(0, at - 3), at)
  if (code === 0x200d && isEmoji(before) && /^\p{Extended_Pictographic}/u.test(text.slice(at + 1, at + 3))) return true
  if (code === 0x200c || code === 0x200d) return isJoining(before)
  // a variation selector, after what has styles
  if (code === 0xfe0e || code === 0xfe0f) return /\p{Emoji}$/u.test(before)
  return ((code >= 0xfe00 && code <= 0xfe0d) || (code >= 0xe0100 && code <= 0xe01ef)) && /\p{scx=Han}$/u.test(before)
}

const isEmoji = (before: string): boolean => /[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?$/u.test(before)

/**
 * Returns whether text ends with a letter or mark of the blocks whose scripts join letters, and in which joiners change the
 * shapes: from Arabic to Myanmar, Khmer and Mongolian.
 */
const isJoining = (before: string): boolean =>
  /(?=[\p{L}\p{M}])[\u0600-\u109f\u1780-\u17b3\u17b6-\u17ff\u1820-\u18af]$/u.test(before)

/** Replaces each character that is not printed as itself, except for tabs and line feeds. */
export const replaceUnprintable = (text: string, by: (character: string) => string): string =>
  plain.test(text)
    ? text
    : text.replace(unprintable(), (character: string, at: number) =>
      character === "\n" || character === "\t" || isPart(character, at, text) ? character : by(character))

/** Shows a character by its code point, as `\u{1b}`. */
export const notation = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`

const withoutStyles = (text: string): string => text.includes("\u001b") ? text.replace(styles, "") : text

const shown = (text: string): string => replaceUnprintable(text, notation)

/** Makes text printable that may have several lines. All line ends become `\n`. */
export const printable = (text: string): string =>
  plain.test(text) ? text : shown(withoutStyles(text).replace(/\r\n?/g, "\n"))

/** Makes text printable as a part of one line: line ends are shown, and a tab becomes a space. */
export const printableLine = (text: string): string =>
  plain.test(text) && !text.includes("\n") && !text.includes("\t")
    ? text
    : shown(withoutStyles(text)).replaceAll("\n", "\\u{a}").replaceAll("\t", " ")

/**
 * Makes text of several lines printable. The lines after the first one are indented, so that none of them passes for
 * one of the lines around it.
 */
export const printableBlock = (text: string, indent = "  "): string => {
  const lines = printable(text)
  return lines.includes("\n")
    ? lines.split("\n").map((line, i) => i === 0 || line === "" ? line : indent + line).join("\n")
    : lines
}

/** Makes lines printable, but keeps their colours, each of which ends with its line. */
export const printableStyled = (text: string): string =>
  plain.test(text)
    ? text
    : text.replace(/\r\n?/g, "\n").split("\n").map((line) => {
      const codes = line.match(styles) ?? []
      const parts = line.split(styles).map((part, i) => shown(part) + (codes[i] ?? ""))
      return parts.join("") + (codes.length === 0 || noStyle.test(codes.at(-1)!) ? "" : "\u001b[0m")
    }).join("\n")

/** Escapes in JSON what a terminal or the runner of GitHub Actions would obey. The value stays the same. */
export const printableJson = (json: string): string =>
  (plain.test(json)
    ? json
    : json.replace(unprintable(), (character) =>
      character === "\n" || character === "\t"
        ? character
        : [...Array(character.length).keys()]
          .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")))
    .replaceAll("##[", "##\\u005b")

// oxlint-disable-next-line no-control-regex -- colours of the line itself
const command = /^(\s*(?:\u001b\[[\d;]*m\s*)*):(?=:)/

/**
 * Shows what the runner of GitHub Actions would read as a command: `::` at the beginning of a line, and `##[` anywhere.
 *
 * How the runner parses lines: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export const withoutCommands = (text: string): string =>
  text.includes("::") || text.includes("##[")
    ? text.split("\n").map((line) => line.replace(command, "$1\\u{3a}")).join("\n").replaceAll("##[", "##\\u{5b}")
    : text
