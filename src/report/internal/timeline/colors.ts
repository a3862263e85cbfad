/**
 * Defines the colours and patterns of the page and of pictures. The contrast with the background is at least 4.5 to 1
 * for text, and 3 to 1 for shapes with a meaning (https://www.w3.org/TR/WCAG22/#contrast-minimum, #non-text-contrast);
 * a test checks that.
 */

export type Theme = "light" | "dark"

/** The ends of steps and attempts, which have a colour and a look each. */
type Ending = "success" | "failure" | "retry" | "interrupt" | "skip" | "cut"

export type Color =
  | Ending
  | "back"
  | "raised"
  | "chosen"
  | "text"
  | "quiet"
  | "line"
  | "grid"
  | "focus"
  | "hook"

export type Palette = Readonly<Record<Color, string>>

export const palettes: Readonly<Record<Theme, Palette>> = {
  light: {
    back: "#ffffff",
    raised: "#f6f8fa",
    chosen: "#ddf0ff",
    text: "#1b1f24",
    quiet: "#57606a",
    line: "#848d97",
    grid: "#e4e8ec",
    focus: "#0550ae",
    success: "#1f7a4d",
    failure: "#c62435",
    retry: "#a15c00",
    interrupt: "#7546c8",
    skip: "#57606a",
    cut: "#0a6bbd",
    hook: "#3d5f9e"
  },
  dark: {
    back: "#0d1117",
    raised: "#161b22",
    chosen: "#12314f",
    text: "#e6edf3",
    quiet: "#a3adb8",
    line: "#768390",
    grid: "#21272f",
    focus: "#79c0ff",
    success: "#41b883",
    failure: "#ff7b72",
    retry: "#e3a13b",
    interrupt: "#b794f6",
    skip: "#a3adb8",
    cut: "#58b0ff",
    hook: "#9db8ef"
  }
}

/** The looks of shapes. */
export type Look =
  | Ending
  | "delay"
  | "cross"
  | "pause"
  | "past"
  | "open"
  | "overdue"
  | "hook"
  | "hook-failed"
  | "hook-skipped"
  | "hook-cut"

/** The stripes over a colour, as the `d` of a path in a tile of 6 by 6 pixels. */
export const stripes = {
  failure: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5",
  retry: "M-1 -1L7 7M5 -1L7 1M-1 5L1 7",
  interrupt: "M3 0V6"
}

/** @internal */
export interface Paint {
  readonly fill?: Color
  /** Stripes in the colour of the background, over the filled shape. */
  readonly stripes?: keyof typeof stripes
  readonly stroke?: Color
  readonly width?: number
  readonly dash?: string
}

/** How each look is painted. They differ not only in colour, but also in stripes, dashes or form. */
export const looks: Readonly<Record<Look, Paint>> = {
  success: { fill: "success" },
  failure: { fill: "failure", stripes: "failure" },
  retry: { fill: "retry", stripes: "retry" },
  interrupt: { fill: "interrupt", stripes: "interrupt" },
  skip: { fill: "back", stroke: "skip", width: 1.5 },
  cut: { fill: "back", stroke: "cut", width: 1.5, dash: "4 2.5" },
  delay: { stroke: "retry", width: 1.5, dash: "2 3" },
  cross: { stroke: "failure", width: 2 },
  pause: { stroke: "interrupt", width: 2 },
  past: { stroke: "skip", width: 1.75 },
  open: { stroke: "cut", width: 1.75 },
  overdue: { fill: "retry" },
  hook: { fill: "hook", stroke: "hook", width: 1.5 },
  "hook-failed": { stroke: "failure", width: 2 },
  "hook-skipped": { fill: "back", stroke: "quiet", width: 1.25 },
  "hook-cut": { fill: "back", stroke: "cut", width: 1.5 }
}
