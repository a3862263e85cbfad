/** Random programs of runs, and what happens to their processes. */
import * as Schema from "effect/Schema"

/** A step of a program: how often its body fails, and what it waits for. Times are in milliseconds. */
const StepPart = Schema.Struct({
  kind: Schema.Literal("step"),
  failures: Schema.Literals([0, 0, 1, 3]),
  retries: Schema.Literals([0, 2]),
  /** Delays of more than ten seconds are rows of the database. */
  delay: Schema.Literals([0, 2_000, 60_000]),
  /** How long the body takes, and each hook. */
  takes: Schema.Literals([0, 0, 300, 20_000]),
  hooksTake: Schema.Literals([0, 0, 500]),
  asks: Schema.Boolean,
  startHook: Schema.Boolean
})

export type StepPart = typeof StepPart.Type

const Leaf = Schema.Union([
  StepPart,
  Schema.Struct({ kind: Schema.Literal("sleep"), millis: Schema.Literals([100, 5_000, 3_000_000]) }),
  Schema.Struct({ kind: Schema.Literal("wait") })
])

export type Leaf = typeof Leaf.Type

const Branches = Schema.Array(Leaf).check(Schema.isMinLength(2), Schema.isMaxLength(3))

const Part = Schema.Union([Leaf, Schema.Struct({ kind: Schema.Literal("all"), parts: Branches })])

export type Part = typeof Part.Type

/** The body of a run: its parts, one after another. */
export type Program = ReadonlyArray<Part>

const nth = Schema.Literals([0, 1, 2])

const Action = Schema.Union([
  Schema.Struct({ do: Schema.Literal("advance"), millis: Schema.Literals([1, 400, 3_000, 90_000, 4_000_000]) }),
  /** The process dies at a statement from now on, before it is executed or after. */
  Schema.Struct({
    do: Schema.Literal("kill"),
    statements: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    after: Schema.Boolean
  }),
  Schema.Struct({ do: Schema.Literal("restart") }),
  Schema.Struct({ do: Schema.Literal("interrupt"), nth, elsewhere: Schema.Boolean }),
  Schema.Struct({ do: Schema.Literal("answer"), nth, approve: Schema.Boolean, elsewhere: Schema.Boolean }),
  Schema.Struct({ do: Schema.Literal("complete"), nth, elsewhere: Schema.Boolean }),
  /** The time of day is put back, or forward, while timers go on. */
  Schema.Struct({ do: Schema.Literal("clock"), millis: Schema.Literals([-3_600_000, -500, 7_200_000]) })
])

export type Action = typeof Action.Type

/** Programs without races, of which a crash may leave hooks of a loser undone. */
export const History = Schema.Struct({
  programs: Schema.Array(Schema.Array(Part).check(Schema.isMinLength(1), Schema.isMaxLength(4))).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(3)
  ),
  actions: Schema.Array(Action).check(Schema.isMaxLength(16))
})

export interface History {
  readonly programs: ReadonlyArray<Program>
  readonly actions: ReadonlyArray<Action>
}

type Named = readonly [name: string, leaf: Leaf]

/** Names the parts of a program, and those inside of them, as `0`, `1.0`, `1.1`. */
export const leavesOf = (program: Program): ReadonlyArray<Named> =>
  program.flatMap((part, i): ReadonlyArray<Named> =>
    part.kind === "all" ? part.parts.map((leaf, j) => [`${i}.${j}`, leaf]) : [[`${i}`, part]]
  )
