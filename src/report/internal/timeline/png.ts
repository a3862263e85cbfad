/** Renders pictures as PNG, by the optional package `@resvg/resvg-js`, which is loaded on first use. */
import type * as Renderer from "@resvg/resvg-js"
import * as Effect from "effect/Effect"
import { runtimeImport } from "../../../internal/files/runtimeImport.ts"

/** Says what is missing, and how to install it. */
export interface Missing {
  readonly missing: "renderer" | "fonts"
  readonly message: string
}

/** @internal */
export interface Rendering {
  readonly svg: string
  readonly scale: number
  readonly fontFiles: ReadonlyArray<string>
}

/** The most pixels of a picture, which take 64 MB and a second or two. A larger picture is scaled down. */
const mostPixels = 16_000_000

/** @internal */
export const png = (rendering: Rendering): Effect.Effect<Uint8Array<ArrayBuffer>, Missing> =>
  Effect.flatMap(load, (renderer) => render(renderer, rendering))

/** Renders a picture. Fails if there are no fonts, as in slim containers, where resvg leaves out all text silently. */
export const render = (
  { Resvg }: Pick<typeof Renderer, "Resvg">,
  { fontFiles, scale, svg }: Rendering
): Effect.Effect<Uint8Array<ArrayBuffer>, Missing> =>
  Effect.suspend(() => {
    const font = { fontFiles: [...fontFiles] }
    if (new Resvg(letter, { font }).getBBox() === undefined) return Effect.fail(noFonts)
    const { height, width } = new Resvg(svg, { font: { loadSystemFonts: false } })
    const fitting = Math.min(scale, Math.sqrt(mostPixels / (width * height)))
    const image = new Resvg(svg, { font, fitTo: { mode: "zoom", value: fitting }, logLevel: "off" }).render()
    return Effect.succeed(new Uint8Array(image.asPng()))
  })

const letter = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text y=\"8\">a</text></svg>"

const load: Effect.Effect<typeof Renderer, Missing> = Effect.tryPromise({
  // a cast, since the specifier is no literal: the package is machine code, which bundlers can't read
  try: () => runtimeImport("@resvg/resvg-js") as Promise<typeof Renderer>,
  catch: (): Missing => ({
    missing: "renderer",
    message:
      "PNG pictures need the package @resvg/resvg-js: npm install @resvg/resvg-js (Deno runs it with --allow-ffi)"
  })
})

const noFonts: Missing = {
  missing: "fonts",
  message:
    "no fonts were found to write text with: install some (apt-get install fonts-dejavu-core, apk add font-dejavu), or " +
    "name files with the option fontFiles"
}
