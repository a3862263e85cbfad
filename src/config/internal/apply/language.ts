/** Says the alerts of a config file in its language. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alerter } from "../../../Alerter.ts"
import type { Language } from "../schema/types.ts"

/** Loads the words of a language, where they are not those that are used anyway. */
const tables = {
  en: undefined,
  de: () => import("../../../alerters/words/de.ts").then(({ german }) => german)
}

/** Gives an alerter the words of a language. A table is loaded only where a file names its language. */
export const inLanguage = <E, R>(
  alerter: Layer.Layer<Alerter, E, R>,
  language: Language | undefined
): Layer.Layer<Alerter, E, R> => {
  const load = language === undefined ? undefined : tables[language]
  return load === undefined
    ? alerter
    : Layer.unwrap(Effect.map(Effect.promise(load), (words) => Alerter.words(alerter, words)))
}
