/** Prepares the address and the actions of an alert for channels, which show them as links or buttons. */
import type { Alert, AlertAction } from "../../../Alert.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { isHttp } from "./isHttp.ts"

/**
 * The most links of an alert, its address included.
 * Renderers of Adaptive Cards refuse more actions unless configured (`maxActions`, https://learn.microsoft.com/adaptive-cards/rendering-cards/host-config),
 * and Discord takes as many buttons in a row (https://docs.discord.com/developers/components/reference#action-row).
 */
const maxLinks = 5
const maxLabel = 40
/** The longest address that is a link: Discord takes no longer ones (https://docs.discord.com/developers/components/reference#button). */
const maxUrl = 512

/** Returns an address in which every character may be part of one, unless channels can't open it. */
const hrefOf = (url: string): string | undefined => {
  const href = isHttp(url) ? URL.parse(url)?.href : undefined
  return href === undefined || href.length > maxUrl ? undefined : href
}

const labelOf = (label: string): string => fitEnd(oneLine(label), maxLabel)

/** Turns what can't be a link into fields, so that it is not lost. What stays is as {@link linksOf} returns it. */
export const withLinks = <A extends Alert>(alert: A, words: Words): A => {
  const { actions, url } = alert
  if (url === undefined && actions.length === 0) return alert
  const href = url === undefined ? undefined : hrefOf(url)
  const room = href === undefined ? maxLinks : maxLinks - 1
  const links: Array<AlertAction> = []
  const others: Array<AlertAction> = []
  for (const { label, url } of actions) {
    const opened = hrefOf(url)
    const action = { label: labelOf(label) || words.open, url: opened ?? url }
    if (opened === undefined || links.length === room) others.push(action)
    else links.push(action)
  }
  if (url !== undefined && href === undefined) others.unshift({ label: words.link, url })
  const fields = others.length === 0
    ? alert.fields
    : [...alert.fields, ...others.map(({ label, url }) => ({ name: label, value: url }))]
  // a cast, since `with` forgets that the alert has a time, which does not change here
  return alert.with({ url: href, actions: links, fields }) as A
}

/** Returns the links of an alert: its address first, then its actions. */
export const linksOf = (
  { actions, url }: Pick<Alert, "actions" | "url">,
  words: Words
): ReadonlyArray<AlertAction> => url === undefined ? actions : [{ label: words.open, url }, ...actions]
