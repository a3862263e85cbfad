/** Headers of requests, and the secrets in them and in addresses. */
import { fromBase64, toBase64 } from "../../../internal/text/base64.ts"
import { percentDecoded } from "../../../internal/text/percentDecoded.ts"

/** Returns the parts of a header that may be secret: a server may quote a token without the `Bearer` before it. */
export const wordsOf = (header: string): ReadonlyArray<string> => [
  header,
  ...header.split(/\s+/).filter((word) => word.length >= 8),
  ...loginOf(header)
]

/** Returns the secrets of a Basic header (https://www.rfc-editor.org/rfc/rfc7617). Without a password, the user is one. */
const loginOf = (header: string): ReadonlyArray<string> => {
  const login = fromBase64(/^basic +(\S+)$/i.exec(header.trim())?.[1] ?? "")
  if (login === undefined || !login.includes(":")) return []
  const end = login.indexOf(":")
  return [login, login.slice(end + 1) || login.slice(0, end)]
}

/** An address without a user and a password, the header to send instead of these, and the secrets in both. */
export interface Target {
  readonly url: string
  readonly authorization: string | undefined
  readonly secrets: ReadonlyArray<string>
}

/** Makes a header of the user and the password in an address, since `fetch` of Node refuses an address that has them. */
export const targetOf = (address: string): Target => {
  const url = address.includes("@") ? URL.parse(address) : null
  if (url === null || (url.username === "" && url.password === "")) {
    return { url: address, authorization: undefined, secrets: [] }
  }
  const { password, username } = url
  url.username = ""
  url.password = ""
  const authorization = `Basic ${toBase64(`${percentDecoded(username)}:${percentDecoded(password)}`)}`
  return { url: url.href, authorization, secrets: [password || username, ...wordsOf(authorization)] }
}

/** Returns whether headers can be sent. Otherwise `fetch` would fail with a message that quotes them. */
export const areHeaders = (headers: Readonly<Record<string, string>>): boolean => {
  try {
    return [...new Headers(headers)].length <= Object.keys(headers).length
  } catch {
    return false
  }
}
