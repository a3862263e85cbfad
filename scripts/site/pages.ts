/** The pages of the site that are made of Markdown, and their order. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"

export const root: string = join(import.meta.dirname, "..", "..")

/** A page in the navigation. */
export interface Entry {
  readonly title: string
  /** The path of the page in the site. */
  readonly path: string
}

export interface Group {
  readonly title: string
  readonly entries: ReadonlyArray<Entry>
}

/** Returns the path in the site of a page that is made of a Markdown file of the repository. */
export const pathOfPage = (file: string): string =>
  posix.join(posix.dirname(file), `${posix.basename(file, ".md").replace(/^README$/, "index")}.html`)

const titleOf = (file: string): string =>
  /^# (.+)$/m.exec(readFileSync(join(root, file), "utf8"))?.[1]?.replaceAll("`", "") ?? file

const markdownIn = (folder: string): ReadonlyArray<string> =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder)).filter((file) => file.endsWith(".md")).toSorted().map((file) =>
      `${folder}/${file}`
    )
    : []

const index = "docs/README.md"

/** Reads the groups of `docs/README.md`: its headings, and the pages to which the text below each links. */
const indexed = (): ReadonlyArray<Group & { readonly files: ReadonlyArray<string> }> => {
  if (!existsSync(join(root, index))) return []
  const [, ...parts] = readFileSync(join(root, index), "utf8").split(/^## /m)
  return parts.map((part) => {
    const links = [...part.matchAll(/\[([^\]]+)\]\(([^):#]+\.md)\)/g)].map(([, title, href]) => ({
      title: title!.replaceAll("`", ""),
      file: posix.join("docs", href!)
    }))
    return {
      title: part.split("\n")[0]!.trim(),
      files: links.map(({ file }) => file),
      entries: links.map(({ file, title }) => ({ title, path: pathOfPage(file) }))
    }
  })
}

/** Pages that are about the project rather than its use. */
const aboutProject = ["CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "AGENTS.md", "docs/architecture.md"]

export interface Pages {
  /** The Markdown files of the site. */
  readonly files: ReadonlyArray<string>
  /** The navigation: one group for each heading of `docs/README.md`, in its order. */
  readonly groups: ReadonlyArray<Group>
}

/** Returns all pages that are made of Markdown. One that `docs/README.md` does not name stands at the end. */
export const pages = (): Pages => {
  const groups = indexed()
  const entry = (file: string): Entry => ({ title: titleOf(file), path: pathOfPage(file) })
  const ordered = groups.flatMap(({ files }) => files)
  const hasIndex = groups.length > 0
  const others = markdownIn("docs").filter((file) =>
    file !== index && !ordered.includes(file) && !aboutProject.includes(file)
  )
  const decisions = markdownIn("docs/decisions").filter((file) => !ordered.includes(file))
  const project = aboutProject.filter((file) => existsSync(join(root, file)) && !ordered.includes(file))
  return {
    files: [...new Set(["README.md", ...(hasIndex ? [index] : []), ...ordered, ...others, ...project, ...decisions])],
    groups: [
      {
        title: "effect-epilogue",
        entries: [
          { title: "Overview", path: "index.html" },
          ...(hasIndex ? [{ title: "All pages", path: pathOfPage(index) }] : [])
        ]
      },
      ...groups.map(({ entries, title }) => ({ title, entries })),
      { title: hasIndex ? "More" : "Documentation", entries: others.map(entry) },
      { title: "The project", entries: project.map(entry) },
      { title: "Decisions", entries: decisions.map(entry) }
    ].filter(({ entries }) => entries.length > 0)
  }
}
