/** Signs requests by the conventions of https://www.standardwebhooks.com. */
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
import type { Words } from "../../../internal/text/alertWords.ts"
import type { Dated } from "../channel/channel.ts"
import { fitJson } from "../channel/fitAlert.ts"
import * as Address from "../channel/headers.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"

const encoder = new TextEncoder()

/** Bytes in unshared memory: WebCrypto accepts no views of shared memory. */
type Bytes = Uint8Array<ArrayBuffer>

/** Reads a secret: base64 after `whsec_`, otherwise the text itself. Returns `undefined` if that is no key. */
export const keyOf = (secret: string): Bytes | undefined => {
  if (!secret.startsWith("whsec_")) return secret === "" ? undefined : encoder.encode(secret)
  const decoded = Base64.decode(secret.slice("whsec_".length))
  return decoded._tag === "Failure" || decoded.success.length === 0 ? undefined : new Uint8Array(decoded.success)
}

/** Returns the texts that reveal the secret. */
export const partsOf = (secret: string): ReadonlyArray<string> =>
  secret.startsWith("whsec_") ? [secret, secret.slice("whsec_".length)] : [secret]

/** Imports the secret as a key. Succeeds with `undefined` if it is not one. */
export const importKey = (secret: Redacted.Redacted<string>): Effect.Effect<CryptoKey | undefined> => {
  const key = keyOf(Redacted.value(secret))
  if (key === undefined) return Effect.undefined
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

/** Compares in constant time: it would otherwise reveal how many bytes of a forged signature are right. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.reduce((different, byte, i) => different | (byte ^ b[i]!), 0) === 0

/** Returns whether one of the signatures in the header is the key's. The body is signed once, however many there are. */
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

/** Adds timestamp and signature to each attempt, or a late retry would be refused as too old. */
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

/** The target of requests, and the secrets in it. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

/** Reads a URL, which is a secret itself. */
export const targetOf = (address: string): Target | undefined => {
  if (!/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return undefined
  const { authorization, secrets, url } = Address.targetOf(address)
  return {
    url,
    headers: authorization === undefined ? {} : { authorization },
    secrets: [...new Set([address, url]), ...secrets]
  }
}

/** Renders the body. Returns `undefined` if the alert is too large whatever is left out. */
export const body = (
  alert: Dated,
  maxBytes: number,
  render: ((alert: Alert) => unknown) | undefined,
  words: Words
): string | undefined => fitJson(alert, maxBytes, render ?? toBriefJson, words, { countsFields: render === undefined })

/** The prefix of ids that are digests. A key with this prefix becomes a digest too, so that no two keys share an id. */
const digested = "sha256_"

/**
 * Returns the id by which a server recognizes a repeated post. A key with a full stop is replaced by its digest, since
 * a full stop ends the id in the signed content:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export const idOf = (alert: Alert): Effect.Effect<string> => {
  const key = repeatKey(alert)
  if (key === undefined) return Effect.sync(() => `msg_${crypto.randomUUID()}`)
  const fits = /^[\w:/-]{1,255}$/.test(key) && !key.startsWith(digested)
  return fits ? Effect.succeed(key) : Effect.map(sha256(key), (digest) => digested + digest)
}

/** Returns a header of a `Headers`, or of a record whose keys may be in any case. */
export const headerOf = (
  headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  name: string
): string | undefined => {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  if (typeof value === "string" || value === undefined) return value
  // there may be several signatures, and so several headers
  return name === "webhook-signature" ? value.join(" ") : value[0]
}
