/** What durable pipelines store, and what a crash leaves, on Postgres. `postgres.slow.test.ts` has the other suites. */
import { required } from "../support/postgres.ts"
import { storageSuite } from "./suites/all.ts"
import { killSuite } from "./suites/kills.ts"
import { onPostgres } from "./support/onPostgres.ts"

if (required("durable pipelines on Postgres")) {
  const { emptied, engine } = onPostgres()
  killSuite("Postgres", emptied)
  storageSuite(engine)
}
