/** Tokens that nobody can guess, and the comparison of secrets. */

/**
 * Returns 128 random bits as 22 characters of base64url. The first one is never a hyphen: as an argument of a command
 * the token would be taken for a flag.
 */
export const newToken = (): string => {
  const base64 = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
  const token = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
  return token.startsWith("-") ? newToken() : token
}

/** Whether a text has the form of a token. */
export const isToken = (text: string): boolean => /^[\w-]{22}$/.test(text)

/** Compares two secrets in a time that depends on their lengths only, and not on where they differ. */
export const isSameSecret = (secret: string, given: string): boolean => {
  let difference = secret.length ^ given.length
  for (let i = 0; i < secret.length; i++) difference |= secret.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}
