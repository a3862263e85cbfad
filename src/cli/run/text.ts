/** Short texts for people. */
export { causeLine, causeText, duration, errorText } from "../../internal/text/words.ts"
