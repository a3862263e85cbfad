/** Describes the channel of mails in the config file. */
import * as Email from "../../Email.ts"
import type { Address, RawOptions } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { type Mistake, oneOrMore, optional, required } from "../channel/schema/structure.ts"
import { hasLines, isAddress, isCertificate, onOneLine, parseServer } from "./address.ts"
import { layerUrl } from "./post.ts"

/** The addresses between commas, save commas in quotes, as in `"Doe, J." <j@example.com>`. */
const partsOf = (text: string): ReadonlyArray<string> => text.replace(/"[^"]*"/g, "").split(",")

const areAddresses = (text: string): boolean => partsOf(text).every(isAddress) && !hasLines(onOneLine(text))

const sender = Leaf.text(
  "an address, as in alerts@example.com",
  (text) => areAddresses(text) && partsOf(text).length === 1
)

const recipients = Leaf.text("an address, as in alerts@example.com", areAddresses)

const serverUrl = Leaf.secret(
  "an address as in smtps://user:password@host, with the password percent-encoded",
  (text) => {
    const server = parseServer(text)
    return server !== undefined && (server.user === undefined) === (server.password === undefined)
  }
)

/** The options of both layers. A file names the server either by `host` or by `url`. */
type Options =
  & Email.MailOptions
  & Partial<Omit<Email.SmtpOptions, keyof Email.MailOptions>>
  & Partial<Omit<Email.UrlOptions, keyof Email.MailOptions>>

const check = (input: Readonly<Record<string, unknown>>): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = []
  if (("host" in input) === ("url" in input)) {
    mistakes.push({ path: [], expected: `exactly one of host and url${"host" in input ? ": there are both" : ""}` })
  }
  if ("url" in input && !("host" in input)) {
    const said = ["port", "secure", "user", "password"].filter((key) => key in input)
    mistakes.push(...said.map((key) => ({ path: [key], expected: "no such key beside url, which says it" })))
  } else if (("user" in input) !== ("password" in input)) {
    mistakes.push({ path: ["user" in input ? "user" : "password"], expected: "a user and a password, or neither" })
  }
  if (input["tls"] === "none" && (input["secure"] ?? input["port"] === 465) === true) {
    mistakes.push({ path: ["tls"], expected: "required, or nothing, where TLS begins with the connection" })
  }
  return mistakes
}

/** The servers of services that Apprise knows by the domain of the sender. */
const knownServers: Readonly<Record<string, string>> = {
  "gmail.com": "smtp.gmail.com",
  "fastmail.com": "smtp.fastmail.com",
  "yahoo.com": "smtp.mail.yahoo.com"
}

/**
 * Reads a URL as of Apprise (https://github.com/caronc/apprise/wiki/Notify_email): `mailtos` encrypts, by STARTTLS unless
 * its mode is `ssl`, and `mailto` where the server offers it. Without a recipient the sender gets the mails.
 */
const mailUrl = ({ host, password, path, port, query, scheme, user }: Address): RawOptions => {
  const isSecure = scheme === "mailtos"
  const isSsl = isSecure && query["mode"] === "ssl"
  const known = knownServers[host.toLowerCase()]
  const sender = user === undefined ? undefined : user.includes("@") ? user : `${user}@${host}`
  const address = query["from"] ?? sender
  const name = query["name"]
  const from = name === undefined || address === undefined ? address : `"${name.replace(/["\\]/g, "")}" <${address}>`
  const recipients = [...path, ...(query["to"] === undefined ? [] : [query["to"]])].join(",")
  const login = query["user"] ?? (known === undefined ? user : sender)
  return {
    host: query["smtp"] ?? known ?? host,
    port: port ?? (isSsl ? 465 : isSecure || known !== undefined ? 587 : 25),
    secure: isSsl,
    tls: isSecure || known !== undefined ? "required" : "opportunistic",
    ...(login === undefined || password === undefined ? {} : { user: login, password }),
    ...(from === undefined ? {} : { from }),
    ...(recipients === "" ? address === undefined ? {} : { to: address } : { to: recipients })
  }
}

/** @internal */
export const email = fileChannel<Options>({
  description: "Mails over SMTP, which need the package `nodemailer`",
  variables: { url: "SMTP_URL", from: "ALERT_EMAIL_FROM", to: "ALERT_EMAIL_TO" },
  keys: {
    host: optional(
      Leaf.text("the name of a server", (text) => /^[^\s/@]+$/.test(text)),
      "The name of the SMTP server."
    ),
    port: optional(Leaf.whole(1, 65_535), "The server's port. 465 where `secure` is true, 587 otherwise, unless set."),
    secure: optional(
      Leaf.flag,
      "Whether TLS begins with the connection, and not after STARTTLS. True on port 465, false otherwise, unless set."
    ),
    user: optional(Leaf.text("the name of a user"), "The user's name at the SMTP server."),
    password: optional(Leaf.secret("a password, in quotes where it is a number"), "The user's password."),
    url: optional(serverUrl, "In place of `host`, as in `smtps://user:password@host`."),
    from: required(sender, "The sender's address."),
    to: required(oneOrMore(recipients), "One address, several with commas between them, or a list."),
    subjectPrefix: optional(Leaf.text("text"), "What every subject begins with: `[production]`, say."),
    tls: optional(
      Leaf.oneOf(["required", "opportunistic", "none"]),
      "Whether connections are encrypted: always, if the server offers it, or never. `required` unless set, and " +
        "`opportunistic` where the server is the machine itself."
    ),
    ca: optional(
      Leaf.text("a certificate as PEM", isCertificate),
      "The certificate of the authority that the server's is signed by, as PEM. Several one after another."
    ),
    rejectUnauthorized: optional(
      Leaf.flag,
      "Whether the server's certificate must be valid. True unless set, save where `tls` is `opportunistic`."
    ),
    maxConnections: optional(Leaf.whole(1), "How many connections there may be at a time. 2 unless set."),
    messagesPerConnection: optional(Leaf.whole(1), "How many mails one connection sends. 10 unless set."),
    ...sending
  },
  check,
  layer: ({ host, url, ...options }) =>
    url === undefined ? Email.layer({ host: host ?? "", ...options }) : layerUrl({ url, ...options }),
  urls: [{
    schemes: ["mailto", "mailtos"],
    form: "mailtos://USER:PASSWORD@HOST/TO?from=FROM",
    parameters: ["from", "mode", "name", "smtp", "to", "user"],
    read: mailUrl
  }]
})
