/**
 * The places where an alert arrives, in policies over several alerters. A repeat of an alert goes only where it has not
 * arrived, and a recovery where its failures have.
 *
 * A place is the name of a member, or that name, a slash and a place in the member.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Alert } from "../../Alert.ts"
import type { AlerterError } from "../../Alerter.ts"
import { droppedBy, droppedByAll } from "../../internal/alerts/metrics.ts"
import type { Post } from "./policy.ts"

/** The places where the alert that is being posted has arrived. */
const Arrivals: Context.Reference<Set<string> | undefined> = Context.Reference<Set<string> | undefined>(
  "effect-epilogue/delivery/Arrivals",
  { defaultValue: () => undefined }
)

/** The post of a quiet alert, which learns whether a policy has made a recovery of it that people see. */
const Showing: Context.Reference<{ shown: boolean } | undefined> = Context.Reference<{ shown: boolean } | undefined>(
  "effect-epilogue/delivery/Showing",
  { defaultValue: () => undefined }
)

/** Reports that people have been shown a quiet alert. */
export const showQuiet: Effect.Effect<void> = Effect.map(Showing, (showing) => {
  if (showing !== undefined) showing.shown = true
})

/** Posts a quiet alert, and succeeds with whether people have been shown it. */
export const shownBy = (post: Effect.Effect<void, AlerterError>): Effect.Effect<boolean, AlerterError> =>
  Effect.suspend(() => {
    const showing = { shown: false }
    return Effect.map(Effect.provideService(post, Showing, showing), () => showing.shown)
  })

/** The end of a post. */
export interface Arrival {
  readonly exit: Exit.Exit<void, AlerterError>
  /** Whether a policy dropped the alert, so that nobody was told. */
  readonly dropped: boolean
  /** Where it arrived, also if it failed elsewhere. Empty where there is one place only, or where it is held. */
  readonly told: ReadonlyArray<string>
}

/** Returns whether somebody has been told, or will be. */
export const isTold = ({ dropped, exit, told }: Arrival): boolean =>
  told.length > 0 || (Exit.isSuccess(exit) && !dropped)

/** Runs a post, and returns how it ended. */
export const arrivalOf = (post: Effect.Effect<unknown, AlerterError>): Effect.Effect<Arrival> =>
  Effect.suspend(() => {
    const places = new Set<string>()
    return Effect.map(
      Effect.exit(Effect.provideService(droppedBy(post), Arrivals, places)),
      (exit) => ({
        exit: Exit.asVoid(exit),
        dropped: Exit.isSuccess(exit) && exit.value,
        told: [...places]
      })
    )
  })

/** Reports an arrival to the policies around, and ends as it did. */
export const conclude = ({ dropped, exit, told }: Arrival): Effect.Effect<void, AlerterError> =>
  Effect.andThen(
    arriveAt(told),
    Exit.isFailure(exit) ? exit : droppedByAll([dropped])
  )

/** Reports that an alert has arrived at places, now or before. */
export const arriveAt = (places: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.map(Arrivals, (arrivals) => {
    for (const place of places) arrivals?.add(place)
  })

/** Posts to a member what it has to get of an alert, and returns whether a policy dropped it. */
export const atPlace = (name: string, post: Post) => (alert: Alert): Effect.Effect<boolean, AlerterError> =>
  Effect.flatMap(
    alert.told.includes(name)
      ? Effect.succeed<Arrival>({ exit: Exit.void, dropped: false, told: [] })
      : arrivalOf(Effect.suspend(() => post(within(alert, name)))),
    (arrival) => {
      const { dropped, exit, told } = arrival
      const places = told.length > 0 ? told.map((place) => `${name}/${place}`) : isTold(arrival) ? [name] : []
      return Effect.andThen(
        // a quiet alert tells nobody
        alert.quiet ? Effect.void : arriveAt(places),
        Exit.isFailure(exit) ? Effect.failCause(exit.cause) : Effect.succeed(dropped)
      )
    }
  )

/** Returns the alert with the places in a member, as the member names them. */
const within = (alert: Alert, name: string): Alert =>
  alert.told.length === 0 && alert.recovers.every(({ told }) => told.length === 0)
    ? alert
    : alert.with({
      told: inside(alert.told, name),
      recovers: alert.recovers.filter((failure) => isAt(failure, name)).map((failure) =>
        failure.with({ told: inside(failure.told, name) })
      )
    })

const inside = (places: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  places.flatMap((place) => place.startsWith(`${name}/`) ? [place.slice(name.length + 1)] : [])

/** Returns whether an alert has arrived at a member, or may have: of some alerts no places are known. */
export const isAt = ({ told }: Alert, name: string): boolean =>
  told.length === 0 || told.some((place) => place === name || place.startsWith(`${name}/`))

/** Returns the members at which an alert has arrived, or `undefined` if it is not known. */
export const membersOf = ({ told }: Alert): ReadonlyArray<string> | undefined =>
  told.length === 0 ? undefined : told.map((place) => place.split("/", 1)[0] ?? place)

/** Returns all places of both, each once. */
export const allPlaces = (a: ReadonlyArray<string> = [], b: ReadonlyArray<string> = []): ReadonlyArray<string> => [
  ...new Set([...a, ...b])
]

/** Returns all places of both, or none if those of one are not known. */
export const bothPlaces = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<string> =>
  a.length === 0 || b.length === 0 ? [] : allPlaces(a, b)

/** Returns the alert as one that tells nobody, but says to policies and channels that something is well again. */
export const quietly = (alert: Alert): Alert => alert.with({ quiet: true, recovers: [] })
