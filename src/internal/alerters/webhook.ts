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
import type { Alert } from "../../Alert.ts"
import { toJson } from "../alertJson.ts"
import type { Dated } from "./channel.ts"
import { fitJson } from "./fitAlert.ts"

const encoder = new TextEncoder()

/** WebCrypto takes no views of shared memory, so these are never any. */
type Bytes = Uint8Array<ArrayBuffer>

/** Base64 after `whsec_`, otherwise the text itself. Undefined where that is no key. */
const keyOf = (secret: string): Bytes | undefined => {
  if (!secret.startsWith("whsec_")) return secret === "" ? undefined : encoder.encode(secret)
  const decoded = Base64.decode(secret.slice("whsec_".length))
  return decoded._tag === "Failure" || decoded.success.length === 0 ? undefined : new Uint8Array(decoded.success)
}

/** Undefined where the secret can't be one. */
export const importKey = (secret: Redacted.Redacted<string>): Effect.Effect<CryptoKey | undefined> => {
  const key = keyOf(Redacted.value(secret))
  if (key === undefined) return Effect.void as Effect.Effect<undefined> // a cast, since `void` is a type of its own
  return Effect.promise(() =>
    crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"])
  )
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

/** Whether one of the signatures in the header is the key's. WebCrypto compares in constant time. */
export const isSigned = (
  key: CryptoKey,
  id: string,
  timestamp: string,
  body: string | Uint8Array,
  signatures: string
): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    const content = signedContent(id, timestamp, typeof body === "string" ? encoder.encode(body) : body)
    for (const signature of signatures.split(" ")) {
      const [version, encoded = ""] = signature.split(",")
      const decoded = Base64.decode(encoded)
      if (version !== "v1" || decoded._tag === "Failure") continue
      if (await crypto.subtle.verify("HMAC", key, new Uint8Array(decoded.success), content)) return true
    }
    return false
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
  ...header.split(/\s+/).filter((word) => word.length >= 8)
]

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
): string | undefined => fitJson(alert, maxBytes, render ?? toJson)

/** A header of a `Headers`, or of a record in which it may be spelt in any case. */
export const headerOf = (
  headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  name: string
): string | undefined => {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return typeof value === "string" ? value : value?.[0]
}
