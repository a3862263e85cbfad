/** Signatures as https://www.standardwebhooks.com has them. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Alert } from "../../../Alert.ts"
import { toBriefJson } from "../../../internal/alerts/json.ts"
import type { Dated } from "../channel/channel.ts"
import { fitJson } from "../channel/fitAlert.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"

const encoder = new TextEncoder()

/** WebCrypto takes no views of shared memory, so these are never any. */
type Bytes = Uint8Array<ArrayBuffer>

/** Base64 after `whsec_`, otherwise the text itself. Undefined where that is no key. */
export const keyOf = (secret: string): Bytes | undefined => {
  if (!secret.startsWith("whsec_")) return secret === "" ? undefined : encoder.encode(secret)
  const decoded = Base64.decode(secret.slice("whsec_".length))
  return decoded._tag === "Failure" || decoded.success.length === 0 ? undefined : new Uint8Array(decoded.success)
}

/** What of a secret must not be shown. */
export const partsOf = (secret: string): ReadonlyArray<string> =>
  secret.startsWith("whsec_") ? [secret, secret.slice("whsec_".length)] : [secret]

/** Undefined where the secret can't be one. */
export const importKey = (secret: Redacted.Redacted<string>): Effect.Effect<CryptoKey | undefined> => {
  const key = keyOf(Redacted.value(secret))
  if (key === undefined) return Effect.void as Effect.Effect<undefined> // a cast, since `void` is a type of its own
  return Effect.promise(() => crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]))
}

const signedContent = (id: string, timestamp: string, body: Uint8Array): Bytes => {
  const head = encoder.encode(`${id}.${timestamp}.`)
  const content = new Uint8Array(head.length + body.length)
  content.set(head)
  content.set(body, head.length)
  return content
}

const sign = (key: CryptoKey, id: string, timestamp: string, body: Uint8Array): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.sign("HMAC", key, signedContent(id, timestamp, body))),
    (signature) => `v1,${Base64.encode(new Uint8Array(signature))}`
  )

/** In a time that does not depend on how much of it is right. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.reduce((different, byte, i) => different | (byte ^ b[i]!), 0) === 0

/** Whether one of the signatures in the header is the key's. There may be many, so the body is signed once. */
export const isSigned = (
  key: CryptoKey,
  id: string,
  timestamp: string,
  body: string | Uint8Array,
  signatures: string
): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    const content = signedContent(id, timestamp, typeof body === "string" ? encoder.encode(body) : body)
    const right = new Uint8Array(await crypto.subtle.sign("HMAC", key, content))
    return signatures.split(" ").some((signature) => {
      const [version, encoded = ""] = signature.split(",")
      const decoded = Base64.decode(encoded)
      return version === "v1" && decoded._tag === "Success" && isSame(decoded.success, right)
    })
  })

/** Sends each attempt with its own time, and signed: one that comes late would be too old otherwise. */
export const signing = (key: CryptoKey | undefined): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function*() {
      const provided = yield* Effect.serviceOption(HttpClient.HttpClient)
      const client = Option.isSome(provided)
        ? provided.value
        : Context.get(yield* Layer.build(FetchHttpClient.layer), HttpClient.HttpClient)
      return HttpClient.mapRequestEffect(client, (request) => stamped(request, key))
    })
  )

const stamped = (
  request: HttpClientRequest.HttpClientRequest,
  key: CryptoKey | undefined
): Effect.Effect<HttpClientRequest.HttpClientRequest> =>
  Effect.gen(function*() {
    const timestamp = String(Math.floor((yield* Clock.currentTimeMillis) / 1000))
    const dated = HttpClientRequest.setHeader(request, "webhook-timestamp", timestamp)
    const id = request.headers["webhook-id"]
    if (key === undefined || id === undefined || request.body._tag !== "Uint8Array") return dated
    const signature = yield* sign(key, id, timestamp, request.body.body)
    return HttpClientRequest.setHeader(dated, "webhook-signature", signature)
  })

/** The words of a header that may be secret: a server may quote a token without the "Bearer" before it. */
export const wordsOf = (header: string): ReadonlyArray<string> => [
  header,
  ...header.split(/\s+/).filter((word) => word.length >= 8),
  ...loginOf(header)
]

/** Of a header (https://www.rfc-editor.org/rfc/rfc7617) what is secret. Without a password, the user is one. */
const loginOf = (header: string): ReadonlyArray<string> => {
  const login = Base64.decodeString(/^basic +(\S+)$/i.exec(header.trim())?.[1] ?? "")
  if (login._tag === "Failure" || !login.success.includes(":")) return []
  const end = login.success.indexOf(":")
  return [login.success, login.success.slice(end + 1) || login.success.slice(0, end)]
}

/** Where to, and what of it is secret. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

/** Of an address. Its user and password become a header: with them in it, not every `fetch` takes it. */
export const targetOf = (address: string): Target | undefined => {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  const { password, username } = url
  if (username === "" && password === "") return { url: address, headers: {}, secrets: [address] }
  url.username = ""
  url.password = ""
  const authorization = `Basic ${Base64.encode(encoder.encode(`${decoded(username)}:${decoded(password)}`))}`
  return {
    url: url.href,
    headers: { authorization },
    secrets: [address, url.href, password || username, ...wordsOf(authorization)]
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether they can be sent: `fetch` says that they can't in a message that holds them. */
export const areHeaders = (headers: Readonly<Record<string, string>>): boolean => {
  try {
    return [...new Headers(headers)].length <= Object.keys(headers).length
  } catch {
    return false
  }
}

/** The body. Undefined where the alert is too large whatever is left out. */
export const body = (
  alert: Dated,
  maxBytes: number,
  render: ((alert: Alert) => unknown) | undefined
): string | undefined => fitJson(alert, maxBytes, render ?? toBriefJson)

/** What an id that is a digest begins with. A key that does becomes one too, so that it is no other's. */
const digested = "sha256_"

/**
 * What a server knows a repeat by. A key with a full stop is no id, since that is what ends one where it is signed:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export const idOf = (alert: Alert): Effect.Effect<string> => {
  const key = repeatKey(alert)
  if (key === undefined) return Effect.sync(() => `msg_${crypto.randomUUID()}`)
  const fits = /^[\w:/-]{1,255}$/.test(key) && !key.startsWith(digested)
  return fits ? Effect.succeed(key) : Effect.map(sha256(key), (digest) => digested + digest)
}

/** A header of a `Headers`, or of a record in which it may be spelt in any case. */
export const headerOf = (
  headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  name: string
): string | undefined => {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  if (typeof value === "string" || value === undefined) return value
  // of signatures there may be several, and so several lines
  return name === "webhook-signature" ? value.join(" ") : value[0]
}
