/** How a severity looks, in whatever channel. */
import type { Severity } from "../../../Alert.ts"

/** As CSS has them. */
export const colors: Record<Severity, string> = {
  info: "#439fe0",
  success: "#2eb67d",
  warning: "#ecb22e",
  error: "#e01e5a",
  critical: "#7c1034"
}

export const symbols: Record<Severity, string> = {
  info: "ℹ️",
  success: "✅",
  warning: "⚠️",
  error: "❌",
  critical: "🚨"
}
