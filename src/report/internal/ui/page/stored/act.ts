/** Asks the server to change something. */
import { h } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { actionHeader } from "../../stored/header.ts"

const { actions: token, as: person } = document.documentElement.dataset

/** The person in whose name the page acts; `undefined` where it only shows. */
export const actor: string | undefined = token === undefined ? undefined : person

/** The result of a request that changes something. */
export interface Result {
  readonly done: boolean
  readonly message: string
}

/** Sends a request with the token of the actions, which other pages can't read. */
export const act = async (path: string, body: object): Promise<Result> => {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", [actionHeader]: token ?? "" },
      body: JSON.stringify(body)
    })
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
    // a cast: actions.ts writes this data
    const { message } = isJson
      ? await response.json() as { readonly message: string }
      : { message: response.statusText }
    return { done: response.ok, message }
  } catch {
    return { done: false, message: "the server can't be reached" }
  }
}

/** Tells what came of the last request, to screen readers, too. */
export const Told = ({ result }: { readonly result: Result | undefined }) => {
  const element = useRef<HTMLParagraphElement>(null)
  // what had the focus may be gone
  useEffect(() => {
    if (result !== undefined) element.current?.focus()
  }, [result])
  return h(
    "p",
    {
      role: "status",
      "aria-label": "Result",
      class: `result ${result?.done === false ? "failure" : ""}`,
      tabIndex: -1,
      ref: element,
      dir: "auto"
    },
    result === undefined ? "" : result.done ? `Done: ${result.message}.` : `Not done: ${result.message}.`
  )
}
