/** Makes HTML of texts that others wrote. */

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

/** Escapes a text for HTML and XML, in elements and in attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)

interface Head {
  /** The title, escaped. */
  readonly title: string
  readonly style: string
  /** Attributes of the root element, each with a space before it. */
  readonly attributes?: string | undefined
  /** Elements that the page has beside those of all. */
  readonly metas?: ReadonlyArray<string> | undefined
}

/** Makes the head of a page for one person, which no search engine may list. */
export const htmlHead = ({ attributes = "", metas = [], style, title }: Head): string =>
  `<!DOCTYPE html>
<html lang="en"${attributes}>
<head>
${
    [
      "<meta charset=\"utf-8\">",
      ...metas,
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
      "<meta name=\"robots\" content=\"noindex, nofollow\">"
    ].join("\n")
  }
<title>${title}</title>
<style>${style}</style>
</head>
`

/** Keeps the address of a page from the sites that it links to. */
export const noReferrer = "<meta name=\"referrer\" content=\"no-referrer\">"
