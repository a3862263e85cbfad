/** Finds the book of a policy. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Acknowledgements } from "../../Acknowledgements.ts"
import { Store } from "../../Store.ts"
import type { Persisted } from "../state/persisted.ts"
import { type Book, inProcess, ofStore } from "./book.ts"
import { booksOf } from "./known.ts"

/** Returns the book of the store, or without `persist` that of the service, or else one that nobody else sees. */
export const bookFor = <P extends string | undefined>(persist: P): Effect.Effect<Book, never, Persisted<P>> =>
  // a cast, since TypeScript does not narrow a conditional type by a value
  (persist === undefined
    ? Effect.map(
      Effect.serviceOption(Acknowledgements),
      (service) => (Option.isSome(service) ? booksOf.get(service.value) : undefined) ?? inProcess()
    )
    : Effect.map(Store, ofStore)) as Effect.Effect<Book, never, Persisted<P>>
