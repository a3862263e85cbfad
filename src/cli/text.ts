/** Short texts for people. */
export { causeLine, causeText, duration, errorText } from "../internal/report/text.ts"
