/** Returns whether a text is a URL of http or https. */
export const isHttp = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== ""
}
