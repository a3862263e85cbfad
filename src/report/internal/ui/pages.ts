/** Makes the page with the list of runs, and pages that say why there is none. They load nothing. */
import { htmlHead, noReferrer } from "../../../internal/text/html.ts"
import { escape } from "../timeline/text.ts"
import { script, scriptHash, style, styleHash } from "./page.gen.ts"
import type { Durable } from "./stored/watch.ts"

const head = (title: string, attributes?: string) =>
  htmlHead({ title: escape(title), style, attributes, metas: [noReferrer] })

/** Allows the style, the script if there is one, and what the script asks of this server. */
const policy = (hasScript: boolean): string =>
  [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    ...(hasScript ? [`script-src '${scriptHash}'`, "connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join("; ")

/** @internal */
export const appPolicy: string = policy(true)

/** The part of the server's state that a page of the script is given. */
export interface Given {
  readonly durable: Pick<Durable, "actionToken" | "runs"> | undefined
}

const attributesOf = ({ durable }: Given): string => {
  if (durable === undefined) return ""
  const { actionToken, runs } = durable
  return actionToken === undefined || runs.actions === undefined
    ? " data-durable"
    : ` data-durable data-actions="${actionToken}" data-as="${escape(runs.actions.by.name)}"`
}

/** A page of the script, which chooses by the path what it shows. It shows durable runs where there are any to show. */
export const appPage = (title: string, given: Given): string =>
  `${head(title, attributesOf(given))}<body>
<div id="app"></div>
<noscript><p>This page needs scripts. <code>epilogue runs</code> and <code>epilogue durable list</code> print the runs.</p></noscript>
<script>${script}</script>
</body>
</html>
`

/** @internal */
export const messagePage = (title: string, text: string): { readonly html: string; readonly policy: string } => ({
  html: `${head(title)}<body>
<main class="message"><h1>${escape(title)}</h1><p>${escape(text)}</p></main>
</body>
</html>
`,
  policy: policy(false)
})
