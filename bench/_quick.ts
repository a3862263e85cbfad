import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
let n = 0
const boom = new Error("boom")
const hook = (_: unknown) => Effect.sync(() => { n++ })
class Where extends Context.Service<Where, any>()("bench/Where") {}
const body = (f: boolean): Effect.Effect<number, Error> => f ? Effect.fail(boom) : Effect.succeed(1)
const ours = (f: boolean) => Step.make("s", body(f)).pipe(Step.onSuccess(hook), Step.onFailure(hook))
const safely = (h: any) => Effect.catchCause(h, (c) => Effect.logError("x", c)) as Effect.Effect<void>
const hand = (f: boolean) => body(f).pipe(Effect.onExit((exit) => safely(exit._tag === "Success" ? hook(exit.value) : hook(exit.cause))), Effect.provideService(Where, { pipelineName: "p", runId: "r", stepName: "s", attempt: 1 }))
const N = 5000
const rep = (e: Effect.Effect<any, any>, f: boolean) => { const each = f ? Effect.exit(e) : e; return Effect.gen(function*() { for (let i = 0; i < N; i++) yield* each }) }
const t = async (e: any) => { const s = performance.now(); await Effect.runPromise(e); return (performance.now() - s) / N * 1e6 }
const med = (a: number[]) => [...a].sort((x, y) => x - y)[a.length >> 1]!
const cs = [Pipeline.make("p", rep(ours(false), false)), rep(hand(false), false), Pipeline.make("p", rep(ours(true), true)), rep(hand(true), true)]
for (let i = 0; i < 20; i++) for (const c of cs) await t(c)
const r: number[][] = cs.map(() => [])
const R = Number(process.argv[2] ?? 101)
for (let k = 0; k < R; k++) for (let i = 0; i < 4; i++) { const c = (i + k) % 4; r[c]!.push(await t(cs[c])) }
console.log("ok", med(r[0]!).toFixed(0), med(r[1]!).toFixed(0), med(r[0]!.map((x, i) => x / r[1]![i]!)).toFixed(3), "fail", med(r[2]!).toFixed(0), med(r[3]!).toFixed(0), med(r[2]!.map((x, i) => x / r[3]![i]!)).toFixed(3))
