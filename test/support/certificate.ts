/** Makes a self-signed certificate for this machine at run time, as one in a file would expire. */
import { generateKeyPairSync, sign } from "node:crypto"

export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Encodes one DER element (ITU-T X.690): tag, length, content. */
const der = (tag: number, ...parts: ReadonlyArray<Uint8Array | ReadonlyArray<number>>): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: ReadonlyArray<Uint8Array>): Buffer => der(0x30, ...parts)
const oid = (...bytes: ReadonlyArray<number>): Buffer => der(0x06, bytes)
const utcTime = (millis: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(millis).toISOString().replace(/^\d\d|[-:T]|\.\d+/g, "")}`))

const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

/** Makes a certificate for `localhost` and 127.0.0.1, valid from an hour ago until a day from now. */
export const selfSigned = (): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from("localhost")))))
  const alternatives = sequence(der(0x82, Buffer.from("localhost")), der(0x87, [127, 0, 0, 1]))
  const extension = (id: Buffer, value: Buffer) => sequence(id, der(0x04, value))
  const content = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [0x01, ...globalThis.crypto.getRandomValues(new Uint8Array(8))]),
    ecdsaWithSha256,
    name,
    sequence(utcTime(Date.now() - 3_600_000), utcTime(Date.now() + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        extension(oid(0x55, 0x1d, 0x11), alternatives),
        // basic constraints: a certificate authority, so that it may sign itself
        extension(oid(0x55, 0x1d, 0x13), sequence(der(0x01, [0xff])))
      )
    )
  )
  const certificate = sequence(content, ecdsaWithSha256, der(0x03, [0], sign("sha256", content, privateKey)))
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? []
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
  }
}
