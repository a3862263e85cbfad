import * as Resvg from "@resvg/resvg-js"
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { render } from "../../src/report/internal/timeline/png.ts"
import { makeIt } from "../support/it.ts"
import { manySteps, nightlyEtl } from "../support/runEvents.ts"

// rendering takes longer than the usual time limit of a test
const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

/** Reads width and height from the header (https://www.w3.org/TR/png-3/#11IHDR). */
const sizeOf = (png: Uint8Array): ReadonlyArray<number> => {
  assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const view = new DataView(png.buffer, png.byteOffset)
  return [view.getUint32(16), view.getUint32(20)]
}

it.live("png renders the picture with two pixels for one, unless scale is given", () =>
  Effect.gen(function*() {
    const { events } = nightlyEtl()
    const height = Number(/height="(\d+)"/.exec(Report.svg(events))![1])
    assert.deepEqual(sizeOf(yield* Report.png(events)), [1920, 2 * height])
    assert.deepEqual(sizeOf(yield* Report.png(events, { scale: 1, theme: "dark" })), [960, height])
  }))

it.live("the PNG shows the text", () =>
  Effect.gen(function*() {
    const { events } = nightlyEtl()
    const [one, other] = [yield* Report.png(events, { title: "a" }), yield* Report.png(events, { title: "b" })]
    assert.notDeepEqual(one, other)
  }))

it.live("very large pictures are scaled down", () =>
  Effect.gen(function*() {
    const [width, height] = sizeOf(yield* Report.png(manySteps(1500).events, { maxRows: 2000, scale: 4 }))
    assert.ok(width! < 4 * 960 && width! * height! <= 16_100_000, `${width} × ${height}`)
  }))

/** A renderer as on a machine without fonts, where it leaves out all text. */
class Fontless extends Resvg.Resvg {
  constructor(svg: string | Buffer, options?: Resvg.ResvgRenderOptions | null) {
    super(svg, { ...options, font: { ...options?.font, loadSystemFonts: false } })
  }
}

const rendering = (fontFiles: ReadonlyArray<string>) => ({ svg: Report.svg(nightlyEtl().events), scale: 1, fontFiles })

it.live("png fails without fonts, instead of leaving out the text", () =>
  Effect.gen(function*() {
    const { message, missing } = yield* Effect.flip(render({ Resvg: Fontless }, rendering([])))
    assert.equal(missing, "fonts")
    assert.match(message, /apt-get install fonts-dejavu-core.*fontFiles/)
  }))

test("png says what to install if the package is missing", async () => {
  const code = `
    import { mock } from "bun:test"
    mock.module("@resvg/resvg-js", () => { throw new Error("Cannot find package") })
    const { Report } = await import("./src/report/index.ts")
    const Effect = await import("effect/Effect")
    const error = await Effect.runPromise(Effect.flip(Report.png([])))
    console.log(error._tag, error instanceof Report.RendererMissing, error.missing, error.message)
  `
  const root = join(import.meta.dirname, "..", "..")
  const run = Bun.spawn([process.execPath, "-e", code], { cwd: root, stdout: "pipe", stderr: "pipe" })
  assert.match(
    await new Response(run.stdout).text() + await new Response(run.stderr).text(),
    /^RendererMissing true renderer .*npm install @resvg\/resvg-js/
  )
})
