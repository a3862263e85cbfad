/** Encodes and decodes short texts in base64. The module of effect has tables that make each program with a channel larger. */

/** Encodes bytes, or a text as UTF-8. */
export const toBase64 = (data: string | Uint8Array): string =>
  btoa(
    Array.from(typeof data === "string" ? new TextEncoder().encode(data) : data, (byte) => String.fromCharCode(byte))
      .join("")
  )

/** Decodes a text in UTF-8, or returns `undefined` for what is no base64. */
export const fromBase64 = (base64: string): string | undefined => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)))
  } catch {
    return undefined
  }
}
