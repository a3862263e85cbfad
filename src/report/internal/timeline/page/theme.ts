/** Switches between the light and the dark theme. */

/** Lets a button switch the theme, which is that of the system until then, and names the other one on it. */
export const switchTheme = (button: HTMLElement): void => {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)")
  const { dataset } = document.documentElement
  const isDark = (): boolean => (dataset["theme"] ?? (prefersDark.matches ? "dark" : "light")) === "dark"
  const name = (): void => {
    button.textContent = isDark() ? "Light theme" : "Dark theme"
  }
  button.addEventListener("click", () => {
    dataset["theme"] = isDark() ? "light" : "dark"
    name()
  })
  prefersDark.addEventListener("change", name)
  name()
}
