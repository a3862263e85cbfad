/** All suites of durable pipelines on Postgres, those of `postgres.test.ts` too. */
import { required } from "../support/postgres.ts"
import { durableSuite } from "./suites/all.ts"
import { onPostgres } from "./support/onPostgres.ts"

if (required("all suites of durable pipelines on Postgres")) durableSuite(onPostgres().engine)
