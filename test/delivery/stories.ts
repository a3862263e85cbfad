/**
 * Random stories through random stacks of policies and channels with mailboxes: clocks that are put back, channels that
 * fail, hang or refuse, processes that end in order or are killed.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, AlerterErrorReason } from "../../src/index.ts"
import { CurrentLedger, type Ledger } from "../../src/internal/alerts/ledger.ts"
import { logs } from "../support/observe.ts"
import { failure, memoryStore } from "../support/policies.ts"
import { open, utc } from "./support.ts"

type Wrap = (self: Layer.Layer<Alerter>, persist: string | undefined) => Layer.Layer<Alerter, never, D.Store>

const policies = {
  afterConsecutive: (self, persist) => D.afterConsecutive(self, 2, { timeZone: utc, persist }),
  dedupe: (self, persist) => D.dedupe(self, { window: "30 minutes", timeZone: utc, persist }),
  digest: (self, persist) => D.digest(self, { window: "20 minutes", timeZone: utc, persist }),
  mailbox: (self) => D.mailbox(self, { channel: "outer" }),
  minSeverity: (self) => D.minSeverity(self, "warning"),
  quietHours: (self, persist) => D.quietHours(self, { from: "22:00", to: "07:00", timeZone: utc, persist }),
  recovered: (self, persist) => D.recovered(self, { successes: "drop", timeZone: utc, persist }),
  remind: (self, persist) => D.remind(self, { every: "20 minutes", until: 5, timeZone: utc, persist }),
  throttle: (self, persist) => D.throttle(self, { limit: 2, window: "15 minutes", timeZone: utc, persist })
} satisfies Record<string, Wrap>

type Name = "chat" | "mail"

const targets = {
  one: (channel: (name: Name) => Layer.Layer<Alerter>) => channel("chat"),
  fanOut: (channel: (name: Name) => Layer.Layer<Alerter>) => D.fanOut([channel("chat"), channel("mail")]),
  route: (channel: (name: Name) => Layer.Layer<Alerter>) =>
    D.route([{ when: { atLeast: "critical" }, to: channel("mail") }], { otherwise: channel("chat") }),
  fallback: (channel: (name: Name) => Layer.Layer<Alerter>) =>
    D.fallback(channel("chat"), channel("mail"), { after: "10 seconds" })
}

const Action = Schema.Union([
  Schema.Struct({ post: Schema.Literals(["success", "error", "critical"]), about: Schema.Literals(["a", "b"]) }),
  Schema.Struct({ minutes: Schema.Literals([1, 10, 45, 600]) }),
  Schema.Struct({
    channel: Schema.Literals(["chat", "mail"]),
    turns: Schema.Literals(["up", "down", "hanging", "limited"])
  }),
  Schema.Struct({ back: Schema.Literals([5, 90, 500_000]) }),
  Schema.Struct({ restart: Schema.Literals(["close", "kill"]) })
])

/** Stories of five actions or more, and of `most` at most. */
export const stories = (most: number) =>
  Schema.Struct({
    stack: Schema.Array(
      Schema.Literals([
        "afterConsecutive",
        "dedupe",
        "digest",
        "mailbox",
        "minSeverity",
        "quietHours",
        "recovered",
        "remind",
        "throttle"
      ])
    ).check(Schema.isMaxLength(3)),
    target: Schema.Literals(["one", "fanOut", "route", "fallback"]),
    hasMailboxes: Schema.Boolean,
    persist: Schema.Boolean,
    actions: Schema.Array(Action).check(Schema.isMinLength(5), Schema.isMaxLength(most))
  })

export type Story = ReturnType<typeof stories>["Type"]

/** Returns the numbers of the alerts that a text names. */
const titlesIn = (text: string): ReadonlyArray<string> => text.match(/\bt\d+\b/g) ?? []
/** Returns the text of an alert without reminders, which tell again what was told. */
const textOf = ({ detail = "", title }: Alert): string => `${title}\n${detail}`.replaceAll(/Reminder \d+: t\d+/g, "")

/** Returns how many alerts an alert says were held back. */
const countIn = (alert: Alert): number =>
  Number(/^(\d+) (?:alerts?|repeats?) held back/.exec(alert.title)?.[1] ?? 0) +
  alert.fields.reduce(
    (sum, { name, value }) => sum + (name === "held back" ? Number(/^(\d+) /.exec(value)?.[1] ?? 0) : 0),
    0
  )

/** What happens in the life of one process, which does nothing any more once it is killed. */
interface Life {
  isKilled: boolean
}

/** A story's ledger, which forgets nothing. */
const bookOf = () => {
  const lost: Array<Alert> = []
  const kept = new Set<string>()
  const entries = new Set<{ readonly alert: Alert; readonly life: Life }>()
  const ledger = (life: Life): Ledger => ({
    accepted: (alert) => {
      const entry = { alert, life }
      entries.add(entry)
      const settle = (then: () => void) => () => {
        if (life.isKilled) return
        assert.ok(entries.delete(entry), `${alert.title} was settled twice`)
        then()
      }
      return {
        delivered: settle(() => {}),
        kept: settle(() => titlesIn(textOf(alert)).forEach((title) => kept.add(title))),
        lost: settle(() => void lost.push(alert))
      }
    },
    lost: (alert) => void (life.isKilled || lost.push(alert))
  })
  return { entries, kept, ledger, lost }
}

/** Runs a story, and returns what has become of its alerts. */
const play = ({ actions, hasMailboxes, persist, stack, target }: Story) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23T12:00:00Z"))
    const testClock = yield* Clock.Clock
    let offset = 0
    // sleeps and the monotonic clock go on when the wall clock is put back
    const clock: Clock.Clock = {
      ...testClock,
      currentTimeMillisUnsafe: () => testClock.currentTimeMillisUnsafe() - offset,
      currentTimeMillis: Effect.sync(() => testClock.currentTimeMillisUnsafe() - offset)
    }
    const { store } = yield* memoryStore
    const states: Record<Name, "up" | "down" | "hanging" | "limited"> = { chat: "up", mail: "up" }
    const got: Record<Name, Array<Alert>> = { chat: [], mail: [] }
    const book = bookOf()

    const layers = (life: Life) => {
      const ofLife = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.suspend(() => life.isKilled ? Effect.never : effect)
      const channel = (name: Name): Layer.Layer<Alerter> => {
        const bare = Alerter.layer((alert) =>
          ofLife(Effect.suspend((): Effect.Effect<unknown, AlerterError> => {
            const retryAfter = Duration.minutes(2)
            if (states[name] === "hanging") return Effect.never
            if (states[name] === "down") return Effect.fail(failure(name))
            return states[name] === "up" || alert.quiet
              ? Effect.sync(() => alert.quiet || got[name].push(alert))
              : Effect.fail(new AlerterError({ channel: name, reason: AlerterErrorReason.RateLimited({ retryAfter }) }))
          }))
        )
        return hasMailboxes ? D.mailbox(bare, { channel: name, pace: [{ count: 2, per: "5 seconds" }] }) : bare
      }
      const kept = Layer.provide(
        D.Store.layerKeyValueStore,
        Layer.succeed(
          KeyValueStore.KeyValueStore,
          KeyValueStore.makeStringOnly({
            get: (key) => ofLife(store.get(key)),
            set: (key, value) => ofLife(store.set(key, value)),
            remove: (key) => ofLife(store.remove(key)),
            clear: ofLife(store.clear),
            keys: ofLife(store.keys),
            size: ofLife(store.size)
          })
        )
      )
      return stack.reduce<Layer.Layer<Alerter>>(
        (layer, name, i) => {
          const wrap: Wrap = policies[name]
          return Layer.provide(wrap(layer, persist ? `${i}` : undefined), kept)
        },
        targets[target](channel)
      )
    }

    const within = (life: Life) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.provideService(Clock.Clock, clock),
        Effect.provideService(CurrentLedger, book.ledger(life))
      )
    /** Runs an effect while the clock goes on, and fails the test where it takes longer. */
    const during = <A, E>(effect: Effect.Effect<A, E>, seconds: number, what: string) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
        yield* TestClock.adjust(`${seconds} seconds`)
        assert.ok(fiber.pollUnsafe() !== undefined, `${what} does not end`)
        return yield* Fiber.await(fiber)
      })

    let life: Life = { isKilled: false }
    const begin = Effect.suspend(() => within(life)(open(() => layers(life))))
    let process = yield* begin
    const end = Effect.suspend(() => during(within(life)(process.close), 600, "the closing scope"))

    const posted: Array<{ readonly alert: Alert; readonly failed: boolean; readonly life: Life }> = []
    for (const action of actions) {
      if ("post" in action) {
        const alert = Alert.make({ title: `t${posted.length}`, severity: action.post, dedupeKey: action.about })
        // as a hook does
        const exit = yield* during(
          within(life)(Effect.timeoutOption(process.post(alert), "30 seconds")),
          30,
          "a post that is interrupted"
        )
        posted.push({ alert, failed: Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause), life })
      } else if ("minutes" in action) yield* TestClock.adjust(`${action.minutes} minutes`)
      else if ("channel" in action) states[action.channel] = action.turns
      else if ("back" in action) offset += action.back * 60_000
      else {
        if (action.restart === "close") yield* end
        else life.isKilled = true
        life = { isKilled: false }
        process = yield* begin
      }
    }
    states.chat = "up"
    states.mail = "up"
    for (let i = 0; i < 6; i++) yield* TestClock.adjust("1 day")
    yield* end
    return { book, got, posted }
  })

type Played = Effect.Success<ReturnType<typeof play>>

const check = ({ actions, persist, stack, target }: Story, { book, got, posted }: Played) => {
  const all = Object.entries(got)
  const open = [...book.entries]
  assert.deepEqual(
    open.filter(({ life }) => !life.isKilled).map(({ alert }) => alert.title),
    [],
    "still open at the end"
  )

  // nothing twice
  for (const [name, alerts] of all) {
    const titles = alerts.flatMap((alert) => titlesIn(textOf(alert)))
    assert.deepEqual(titles, [...new Set(titles)], `${name} was told twice`)
  }

  // in order, and no recovery without its failure
  const failedAnywhere = new Set<string>()
  for (const [name, alerts] of all) {
    const failed = target === "fallback" ? failedAnywhere : new Set<string>()
    const last = new Map<string, number>()
    for (const alert of alerts) {
      if (alert.tags.includes("reminder") && alert.combines.length === 0) continue
      const key = alert.dedupeKey ?? ""
      if (alert.combines.length === 0) {
        const number = Number(titlesIn(alert.title)[0]?.slice(1))
        assert.ok(number > (last.get(key) ?? -1), `${name}: ${alert.title} came late`)
        last.set(key, number)
      }
      for (const one of alert.combines.length > 0 ? alert.combines : [alert]) {
        if (one.severity !== "success") failed.add(one.dedupeKey ?? "")
        else if (one.tags.includes("recovered") && alert.combines.length === 0 && target !== "fallback") {
          assert.ok(failed.has(key), `${name} was told of a recovery alone`)
        }
      }
    }
  }
  if (target === "fallback") {
    for (const { combines, dedupeKey = "", tags, title } of [...got.chat, ...got.mail]) {
      assert.ok(
        combines.length > 0 || !tags.includes("recovered") || failedAnywhere.has(dedupeKey),
        `${title} without a failure`
      )
    }
  }

  // what has not arrived is told
  const lost = new Set(book.lost.flatMap((alert) => titlesIn(`${textOf(alert)} ${alert.combines.map(textOf).join()}`)))
  const openTitles = new Set(open.flatMap(({ alert }) => titlesIn(textOf(alert))))
  const arrived = (alerts: ReadonlyArray<Alert>) => new Set(alerts.flatMap((alert) => titlesIn(textOf(alert))))
  const isCounting = stack.includes("dedupe") || stack.includes("throttle")
  const isDropping = stack.includes("afterConsecutive")
  const isKilling = actions.some((action) => "restart" in action && action.restart === "kill")
  const places = target === "fanOut" ? [got.chat, got.mail] : [[...got.chat, ...got.mail]]
  for (const place of places) {
    const here = arrived(place)
    const missing = posted.filter(({ alert, failed }) =>
      alert.severity !== "success" && !failed && !here.has(alert.title) && !lost.has(alert.title)
    )
    for (const { alert: { title }, life } of missing) {
      if (isDropping || isCounting) continue
      assert.ok(life.isKilled && openTitles.has(title), `${title} was neither delivered nor told to be lost`)
    }
    // each alert that is held back is counted once
    if (isCounting && stack.length === 1 && target === "one" && (persist || !isKilling)) {
      const counted = [...place, ...book.lost].reduce((sum, alert) => sum + countIn(alert), 0)
      const uncounted = posted.filter(({ alert, failed }) =>
        !failed && !here.has(alert.title) && !lost.has(alert.title) && !openTitles.has(alert.title)
      )
      assert.equal(counted, uncounted.length, `${uncounted.map(({ alert }) => alert.title).join()} are to be counted`)
    }
  }
}

/** Tells a story, and asserts that all that was posted in it has arrived once and in order, or is told to be lost. */
export const tell = (story: Story): Effect.Effect<void> =>
  Effect.map(play(story), (played) => check(story, played)).pipe(
    Effect.scoped,
    Effect.provide([TestClock.layer(), logs().layer])
  )
