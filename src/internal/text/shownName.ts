/** Makes the name of a step or a run fit for a chart and a page. */
import { fitEnd, oneLine } from "./fit.ts"

/** The longest name, in UTF-16 code units: more would slow down a browser. */
const longest = 500

export const shownName = (text: string): string => fitEnd(oneLine(text), longest)
