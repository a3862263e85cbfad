/** Reads docstrings. */
import ts from "typescript-6"

export interface Docstring {
  /** The text before the tags, as Markdown. */
  readonly text: string
  /** The texts of the tags, by their names. */
  readonly tags: Readonly<Record<string, ReadonlyArray<string>>>
}

export const noDocstring: Docstring = { text: "", tags: {} }

/** Takes a comment apart. A line of code that begins with `@` is no tag. */
export const parse = (comment: string): Docstring => {
  const lines = comment.replace(/^\/\*\*|\*\/$/g, "").split("\n").map((line) => line.replace(/^\s*\* ?/, ""))
  const tags: Record<string, Array<string>> = {}
  const text: Array<string> = []
  let current = text
  let inCode = false
  const ends: Array<() => void> = []
  for (const line of lines) {
    const tag = inCode ? null : /^@(\w+) ?(.*)$/.exec(line)
    if (line.startsWith("```")) inCode = !inCode
    if (tag === null) current.push(line)
    else {
      const [, name = "", rest = ""] = tag
      const of = current = [rest]
      ends.push(() => (tags[name] ??= []).push(of.join("\n").trim()))
    }
  }
  for (const end of ends) end()
  return { text: text.join("\n").trim(), tags }
}

/** Returns the docstring of a node: that nearest to it. */
export const docstringOf = (node: ts.Node): Docstring => {
  const text = node.getSourceFile().text
  const comment = (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [])
    .map(({ end, pos }) => text.slice(pos, end))
    .findLast((comment) => comment.startsWith("/**"))
  return comment === undefined ? noDocstring : parse(comment)
}

/** Returns the docstring at the top of a module. */
export const docstringOfModule = (file: ts.SourceFile): Docstring => {
  const first = ts.getLeadingCommentRanges(file.text, 0)?.[0]
  const comment = first === undefined ? "" : file.text.slice(first.pos, first.end)
  return comment.startsWith("/**") ? parse(comment) : noDocstring
}

/** Whether the docstring keeps what it is about out of the reference. */
export const isInternal = ({ tags }: Docstring): boolean => tags["internal"] !== undefined
