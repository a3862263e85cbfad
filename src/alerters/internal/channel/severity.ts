/** The colours and symbols of severities, the same in all channels. */
import type { Severity } from "../../../Alert.ts"

/** Colours in CSS notation. */
export const colors: Record<Severity, string> = {
  info: "#439fe0",
  success: "#2eb67d",
  warning: "#ecb22e",
  error: "#e01e5a",
  critical: "#7c1034"
}

/** Symbols as emojis. */
export const symbols: Record<Severity, string> = {
  info: "ℹ️",
  success: "✅",
  warning: "⚠️",
  error: "❌",
  critical: "🚨"
}
