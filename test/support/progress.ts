/** Renders live progress on a fake terminal. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { RunEvent } from "../../src/index.ts"
import type { StreamName } from "../../src/internal/text/terminal.ts"
import type { Handlers } from "../../src/report/internal/progress/capture.ts"
import { Live } from "../../src/report/internal/progress/live.ts"
import type { FakeTerminal } from "./fakeTerminal.ts"
import { logs } from "./observe.ts"

export interface Shown {
  /** The handlers that capture other output, while progress captures it. */
  readonly handlers: () => Handlers | undefined
  readonly print: (text: string, rest?: string, stream?: StreamName) => void
  readonly live: Live
  readonly layer: Layer.Layer<never>
}

/** Makes live progress on a terminal. Its layer observes runs and hides their logs. */
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

/** Asserts the lines on a terminal. */
export const assertScreen = (terminal: FakeTerminal, ...lines: ReadonlyArray<string>): void =>
  assert.equal(terminal.text(), lines.join("\n"))
