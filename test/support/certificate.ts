/** Makes certificates for this machine at run time, as those in files would expire. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"

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

const extension = (id: Buffer, value: Buffer): Buffer => sequence(id, der(0x04, value))

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${
    (certificate.toString("base64").match(/.{1,64}/g) ?? []).join("\n")
  }\n-----END CERTIFICATE-----\n`

interface Subject {
  readonly name: Buffer
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const subject = (name: string): Subject => ({
  name: sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name))))),
  ...generateKeyPairSync("ec", { namedCurve: "P-256" })
})

const keyOf = ({ privateKey }: Subject): string => privateKey.export({ type: "pkcs8", format: "pem" }).toString()

/** Signs a certificate for hosts, and for 127.0.0.1, valid from an hour ago until a day from now. */
const signed = (of: Subject, by: Subject, hosts: ReadonlyArray<string>, isAuthority: boolean): string => {
  const alternatives = sequence(...hosts.map((host) => der(0x82, Buffer.from(host))), der(0x87, [127, 0, 0, 1]))
  const content = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [0x01, ...globalThis.crypto.getRandomValues(new Uint8Array(8))]),
    ecdsaWithSha256,
    by.name,
    sequence(utcTime(Date.now() - 3_600_000), utcTime(Date.now() + 86_400_000)),
    of.name,
    of.publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        ...(hosts.length === 0 ? [] : [extension(oid(0x55, 0x1d, 0x11), alternatives)]),
        // basic constraints: whether it is a certificate authority
        extension(oid(0x55, 0x1d, 0x13), sequence(...(isAuthority ? [der(0x01, [0xff])] : [])))
      )
    )
  )
  return pem(sequence(content, ecdsaWithSha256, der(0x03, [0], sign("sha256", content, by.privateKey))))
}

/** Makes a certificate for `localhost` and 127.0.0.1 that is its own authority. */
export const selfSigned = (): Certificate => {
  const self = subject("localhost")
  return { key: keyOf(self), cert: signed(self, self, ["localhost"], true) }
}

/** Makes a certificate for hosts, by an authority that no runtime knows, as companies have. */
export const privatelySigned = (...hosts: ReadonlyArray<string>): Certificate & { readonly ca: string } => {
  const authority = subject("a private authority")
  const server = subject("a server")
  return {
    key: keyOf(server),
    cert: signed(server, authority, hosts, false),
    ca: signed(authority, authority, [], true)
  }
}
