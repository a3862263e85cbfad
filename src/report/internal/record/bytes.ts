/** Encodes text as UTF-8. */

/** @internal */
export const encoder: TextEncoder = new TextEncoder()

/** @internal */
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)
