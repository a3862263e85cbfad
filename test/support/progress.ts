/** Progress on a terminal in memory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { RunEvent } from "../../src/index.ts"
import type { Handlers, StreamName } from "../../src/report/internal/progress/capture.ts"
import { Live } from "../../src/report/internal/progress/live.ts"
import type { FakeTerminal } from "./fakeTerminal.ts"
import { logs } from "./observe.ts"

export interface Shown {
  /** What other output is watched with, while it is. */
  readonly handlers: () => Handlers | undefined
  readonly print: (text: string, rest?: string, stream?: StreamName) => void
  readonly live: Live
  readonly layer: Layer.Layer<never>
}

/** A tree for what is provided with the layer, which keeps logs to itself. */
export const shown = (terminal: FakeTerminal, colors = false): Effect.Effect<Shown> =>
  Effect.map(Effect.context<never>(), (context) => {
    let handlers: Handlers | undefined
    const live = new Live({
      terminal,
      colors,
      context,
      capture: (given) => {
        handlers = given
        return () => {
          handlers = undefined
        }
      }
    })
    return {
      live,
      layer: Layer.merge(RunEvent.layer(live.watch().observer), logs().layer),
      handlers: () => handlers,
      print: (text, rest = "", stream = "stdout") => handlers?.print(stream, text, rest)
    }
  })

/** What a person sees. */
export const sees = (terminal: FakeTerminal, ...lines: ReadonlyArray<string>): void =>
  assert.equal(terminal.text(), lines.join("\n"))
