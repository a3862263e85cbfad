/** Makes bodies of requests as HTML forms send them. */
import * as HttpClientRequest from "effect/http/HttpClientRequest"

/** Sets the body to fields. One that is `undefined` is left out. */
export const bodyForm = (
  request: HttpClientRequest.HttpClientRequest,
  fields: Readonly<Record<string, string | number | undefined>>
): HttpClientRequest.HttpClientRequest => {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) form.append(name, String(value))
  }
  return HttpClientRequest.bodyText(request, form.toString(), "application/x-www-form-urlencoded")
}
