/** Draws the tree of the running runs on a terminal. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "../../../internal/model/monotonic.ts"
import type { Line } from "../../../internal/text/columns.ts"
import type { StreamName } from "../../../internal/text/terminal.ts"
import type { Observer } from "../../../RunEvent.ts"
import type { Handlers } from "./capture.ts"
import { frame, type Look, unfinished } from "./frame.ts"
import { Screen, type Terminal } from "./screen.ts"
import { Runs, type RunState } from "./state.ts"

/** @internal */
export interface LiveOptions {
  readonly terminal: Terminal
  readonly colors: boolean
  /** Begins to capture other output, and returns a function that ends that. */
  readonly capture: (handlers: Handlers) => () => void
  /** Has the clock that the tree is drawn by. */
  readonly context: Context.Context<never>
}

/** The time between two frames, in milliseconds. */
const interval = 100

/** Waits by the system's clock, and does not keep the process alive: a run that nothing can end would go on to be drawn. */
const nextFrame: Effect.Effect<void> = Effect.callback((resume) => {
  const timer = setTimeout(() => resume(Effect.void), interval)
  timer.unref()
  return Effect.sync(() => clearTimeout(timer))
})

/** The size that is assumed of a terminal that does not report its own. */
const usual = { columns: 80, rows: 24 }

/** Draws while runs are running. At other times it captures nothing and draws nothing. */
export class Live {
  readonly #options: LiveOptions
  readonly #screen: Screen
  readonly #clock: Clock.Clock
  readonly #runs = new Runs()
  /** The beginning of an unfinished line of each stream. */
  readonly #unfinished = new Map<StreamName, string>()
  #lines: ReadonlyArray<Line> = []
  #drawnAt = -Infinity
  /** How many wait for the tree to stay away. */
  #paused = 0
  #capture: (() => void) | undefined
  #ticker: Fiber.Fiber<unknown> | undefined

  constructor(options: LiveOptions) {
    const { colors, context, terminal } = options
    this.#options = options
    this.#clock = Context.get(context, Clock.Clock)
    this.#screen = new Screen({ ...terminal, size: () => sizeOf(terminal) }, colors)
  }

  /** Returns an observer, and a function that stops it and leaves its unfinished runs on the terminal as they are. */
  watch(): { readonly observer: Observer; readonly close: () => void } {
    const own = new Set<string>()
    let open = true
    return {
      observer: (event) => {
        if (!open) return
        const run = this.#runs.apply(event, this.#now())
        if (run === undefined) return
        if (run.ended !== undefined) {
          own.delete(run.id)
          this.#settle([run])
        } else {
          own.add(run.id)
          this.#start()
          // a body that blocks the thread keeps the ticker from drawing
          if (this.#now() - this.#drawnAt >= interval) this.#draw()
        }
      },
      close: () => {
        open = false
        const left = [...own].flatMap((id) => this.#runs.byId.get(id) ?? [])
        for (const { id } of left) this.#runs.byId.delete(id)
        if (left.length > 0) this.#settle(left)
      }
    }
  }

  /**
   * Clears the tree, and draws none until the returned function is called: what others write to the terminal meanwhile
   * stays there.
   */
  pause(): () => void {
    if (this.#paused++ === 0 && this.#capture !== undefined) {
      this.#screen.draw([])
      this.#screen.leave()
    }
    let isPaused = true
    return () => {
      if (!isPaused) return
      isPaused = false
      if (--this.#paused === 0 && this.#capture !== undefined) this.#draw()
    }
  }

  #start(): void {
    if (this.#capture !== undefined) return
    this.#capture = this.#options.capture({
      print: (stream, lines, rest) => {
        if (rest === "") this.#unfinished.delete(stream)
        else this.#unfinished.set(stream, rest)
        this.#screen.print(lines, this.#all())
      },
      around: (write) => this.#screen.around(write),
      leave: () => this.#screen.leave(),
      isAway: () => this.#screen.isAway
    })
    const { context } = this.#options
    const next = context.mapUnsafe.has(Clock.Clock.key) ? Effect.sleep(interval) : nextFrame
    this.#ticker = Effect.runForkWith(context)(Effect.forever(Effect.andThen(next, Effect.sync(() => this.#draw()))))
  }

  #stop(): void {
    this.#ticker?.interruptUnsafe()
    this.#lines = []
    this.#capture?.()
    this.#ticker = this.#capture = undefined
    this.#screen.draw([])
    this.#screen.leave()
  }

  #now(): number {
    return monotonicMillis(this.#clock)
  }

  #look(): Look {
    const now = this.#now()
    return { now, columns: sizeOf(this.#options.terminal).columns, turn: Math.floor(now / interval) }
  }

  #all(): ReadonlyArray<Line> {
    return [...[...this.#unfinished.values()].map(unfinished), ...this.#lines]
  }

  #draw(): void {
    if (this.#paused > 0) return this.#screen.leave()
    const look = this.#look()
    const { rows } = sizeOf(this.#options.terminal)
    // two rows are kept free: for the cursor below the lines, and for an unfinished line of other output
    this.#lines = frame([...this.#runs.byId.values()], rows - 2, look)
    this.#drawnAt = look.now
    this.#screen.draw(this.#all())
  }

  /** Prints runs a last time, as text that stays above those that are still drawn. */
  #settle(runs: ReadonlyArray<RunState>): void {
    this.#screen.settle(frame(runs, Infinity, this.#look()))
    if (this.#runs.byId.size === 0) this.#stop()
    else this.#draw()
  }
}

const sizeOf = (terminal: Terminal): { readonly columns: number; readonly rows: number } => {
  const { columns, rows } = terminal.size()
  return { columns: columns > 0 ? columns : usual.columns, rows: rows > 0 ? rows : usual.rows }
}
