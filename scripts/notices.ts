/**
 * Writes `THIRD-PARTY-NOTICES`: the packages whose code is in the bundles of the command, with their licences, which
 * have to be handed on with that code. All else that the package needs is installed beside it, with its own licence.
 */
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.dirname(import.meta.dirname)

/** The file, from the root of the repository. */
export const file = "THIRD-PARTY-NOTICES"

/** Licences that ask for nothing but their text and the notice of copyright. */
const permissive: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT"
])

interface Package {
  readonly name: string
  readonly version: string
  readonly license: string
  /** The texts of its licence and of its notices, and the comments on code of others in it. */
  readonly text: string
}

/** Returns the folder of the package that a file is in, or `undefined` for a file of the project's own. */
const folderOf = (input: string): string | undefined =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input.replaceAll("\\", "/"))?.[0]

/** Returns the comments of a file that speak of a licence: it has code of others then. */
const commentsIn = (input: string): ReadonlyArray<string> =>
  (fs.readFileSync(input, "utf8").match(/\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm) ?? [])
    .filter((comment) => /copyright|\blicen[cs]ed?\b|\b(?:ported|adapted) from\b/i.test(comment))
    .map((comment) => `${path.basename(input)}:\n\n${comment.trim()}`)

const packageIn = (folder: string, inputs: ReadonlyArray<string>): Package => {
  const { license, name, version } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"))
  if (!permissive.has(license)) {
    throw new Error(`the command contains ${name}, whose licence ${license} is not among those that ${file} is for`)
  }
  const names = fs.readdirSync(folder).filter((name) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(name))
    .toSorted()
  if (!names.some((name) => /^(?:licen[cs]e|copying)/i.test(name))) {
    throw new Error(`the command contains ${name}, which has no file with its licence`)
  }
  const text = names.map((name) => fs.readFileSync(path.join(folder, name), "utf8").replaceAll("\r\n", "\n").trim())
  const comments = inputs.filter((input) => folderOf(input) === folder).toSorted().flatMap(commentsIn)
  return { name, version, license, text: [...text, ...comments].join("\n\n") }
}

const line = "-".repeat(80)

/** Returns the text for the bundles that are made of these files. */
export const notices = (inputs: ReadonlyArray<string>): string => {
  const files = [...new Set(inputs)]
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== undefined))
  const packages = [...folders].map((folder) => packageIn(folder, files)).toSorted((a, b) => a.name < b.name ? -1 : 1)
  return [
    "The command of effect-epilogue, dist/cli in the package, and the pages that it serves contain code of the packages below. Their licences follow.",
    ...packages.map(({ license, name, text, version }) =>
      `${line}\n${name} ${version} (${license})\n${line}\n\n${text}`
    )
  ].join("\n\n") + "\n"
}

/** Writes the file. */
export const write = (inputs: ReadonlyArray<string>): void => fs.writeFileSync(path.join(root, file), notices(inputs))
