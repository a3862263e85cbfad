/** Code that runs when dependencies are installed. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import manifest from "../../package.json" with { type: "json" }

interface Lock {
  readonly packages: Readonly<Record<string, { readonly name?: string; readonly hasInstallScript?: boolean }>>
}

/** Returns the packages with an install script, by name. One that is installed under another name has a field for it. */
const withScripts = ({ packages }: Lock): ReadonlyArray<string> =>
  Object.entries(packages).flatMap(([path, { hasInstallScript, name }]) =>
    hasInstallScript === true ? [name ?? path.split("node_modules/").at(-1)!] : []
  ).toSorted()

const lock: Lock = JSON.parse(readFileSync(join(import.meta.dir, "../../package-lock.json"), "utf8"))

test("packages with an install script are found wherever they stand in the lock, and by their own name", () => {
  const packages = {
    "": {},
    "node_modules/plain": {},
    "node_modules/@scope/one": { hasInstallScript: true },
    "node_modules/plain/node_modules/nested": { hasInstallScript: true },
    "node_modules/alias": { name: "real", hasInstallScript: true }
  }
  expect(withScripts({ packages })).toEqual(["@scope/one", "nested", "real"])
})

test("every dependency with an install script is listed in package.json's allowScripts, and no other is", () => {
  expect(withScripts(lock)).toEqual(Object.keys(manifest.allowScripts).toSorted())
})

test("Bun and npm run the install scripts of the same packages", () => {
  const allowed = Object.entries(manifest.allowScripts).flatMap(([name, allow]) => allow ? [name] : [])
  expect(manifest.trustedDependencies.toSorted()).toEqual(allowed.toSorted())
})
