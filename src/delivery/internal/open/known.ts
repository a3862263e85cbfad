/** The books of services, which the services themselves do not show. */
import type { Book } from "./book.ts"

/** The book of each service that was made by a layer of the library. */
export const booksOf = new WeakMap<object, Book>()
