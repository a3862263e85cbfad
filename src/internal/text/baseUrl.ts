/** Base addresses, to which paths are appended. */

/** Removes all slashes from the end. Without a pattern: `/\/+$/` takes quadratic time where many slashes precede another character. */
export const withoutTrailingSlashes = (url: string): string => {
  let end = url.length
  while (url[end - 1] === "/") end--
  return url.slice(0, end)
}
