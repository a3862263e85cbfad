/** Asks the server for data. */
import { useEffect, useState } from "preact/hooks"

/** The state of a request for data. */
export type Asked<A> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly why: string }
  | { readonly state: "here"; readonly data: A }

const ask = async <A>(address: string): Promise<Asked<A>> => {
  try {
    const response = await fetch(address)
    const data: unknown = await response.json()
    // casts: the server writes this data
    if (response.ok) return { state: "here", data: data as A }
    return { state: "failed", why: (data as { readonly error: string }).error }
  } catch {
    return { state: "failed", why: "The server can't be reached." }
  }
}

/** Asks for data, and again every few seconds while `isOpen` says that it may change and the page is in sight. */
export const useJson = <A>(address: string, isOpen: (data: A) => boolean = () => false): Asked<A> => {
  const [asked, setAsked] = useState<Asked<A>>({ state: "loading" })
  const [round, setRound] = useState(0)
  useEffect(() => {
    let isWanted = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = () => {
      if (!isWanted) return
      if (document.visibilityState === "visible") setRound(round + 1)
      else timer = setTimeout(again, 5000)
    }
    void ask<A>(address).then((now) => {
      if (!isWanted) return
      setAsked(now)
      if (now.state === "here" && isOpen(now.data)) timer = setTimeout(again, 5000)
    })
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [address, round])
  return asked
}
