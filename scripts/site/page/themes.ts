/** The themes, of which the reader's choice is kept in the browser. */

export const themes = ["system", "light", "dark"] as const

export type Theme = (typeof themes)[number]

const key = "epilogue-theme"

const isTheme = (text: unknown): text is Theme => themes.some((theme) => theme === text)

/** Returns the chosen theme. A browser may keep nothing, as one does for pages that are files. */
export const chosenTheme = (): Theme => {
  try {
    const chosen = localStorage.getItem(key)
    return isTheme(chosen) ? chosen : "system"
  } catch {
    return "system"
  }
}

export const setTheme = (theme: Theme): void => {
  document.documentElement.dataset["theme"] = theme
}

export const keepTheme = (theme: Theme): void => {
  setTheme(theme)
  try {
    localStorage.setItem(key, theme)
  } catch {
    // it holds for this page alone
  }
}
