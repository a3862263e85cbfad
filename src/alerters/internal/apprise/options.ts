/** Describes the channel of Apprise in the config file. */
import * as Apprise from "../../Apprise.ts"
import { pathOf, serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const apprise = fileChannel<Apprise.AppriseOptions>({
  description: "A server of Apprise, which notifies more than a hundred services",
  variables: { url: "APPRISE_URL" },
  optionalVariables: { key: "APPRISE_KEY", urls: "APPRISE_URLS", tag: "APPRISE_TAG" },
  keys: {
    url: required(Leaf.baseUrl, "The address of the server."),
    key: optional(
      Leaf.secret("up to 128 letters, digits, - and _", (text) => /^[\w-]{1,128}$/.test(text)),
      "The key of a configuration that the server has. Anybody who knows it can notify its services."
    ),
    urls: optional(
      Leaf.secret("addresses of Apprise, as in mailto://user:password@example.com", (text) => /^\w+:\/\//.test(text)),
      "The services, as addresses of Apprise with spaces between them, where the server has none of them."
    ),
    tag: optional(
      Leaf.text("a tag"),
      "The services of the key that are notified: `a, b` with a or b, `a b` with both."
    ),
    basicAuth: optional(
      Leaf.secret("a user and a password, as in user:password", (text) => text.indexOf(":") > 0),
      "A user and a password for a proxy before the server, as in `user:password`."
    ),
    maxLength: optional(Leaf.whole(100), "How many characters a message has at most. 1,500 unless set."),
    ...sending
  },
  check: (input) =>
    "key" in input && "urls" in input
      ? [{ path: ["urls"], expected: "either key or urls, and there are both" }]
      : [],
  layer: Apprise.layer,
  // https://github.com/caronc/apprise/wiki/Notify_apprise_api
  urls: [{
    schemes: ["apprise", "apprises"],
    form: "apprises://USER:PASSWORD@HOST:PORT/KEY",
    parameters: ["method", "tags", "to", "token"],
    read: (address) => {
      const { password, path, query: { tags, to, token = to }, user } = address
      const key = token ?? path.at(-1)
      const folders = token === undefined ? path.slice(0, -1) : path
      // without a key nothing says which services are meant
      if (key === undefined || (user === undefined) !== (password === undefined)) return undefined
      return {
        url: `${serverOf(address)}${folders.length === 0 ? "" : `/${pathOf(folders)}`}`,
        key,
        ...(tags === undefined ? {} : { tag: tags }),
        ...(user === undefined ? {} : { basicAuth: `${user}:${password}` })
      }
    }
  }]
})
