/** Sets the theme that the reader has chosen, before the page is drawn. */
import { chosenTheme, setTheme } from "./themes.ts"

setTheme(chosenTheme())
