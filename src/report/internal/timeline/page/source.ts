/** Receives server-sent events while the page is in sight. */

/** Handlers of the events. */
export interface Receiver {
  readonly onData: (data: string) => void
  /** Called when no more events will come. */
  readonly onEnd?: () => void
  /** Called when the server can't be reached, which the browser then tries again. */
  readonly onLost?: () => void
}

/**
 * Receives the events of an address. A page that nobody looks at receives none: browsers open six connections to a server
 * at most (https://developer.mozilla.org/docs/Web/API/EventSource), so that pages in six other tabs would keep it from
 * answering.
 */
export const receive = (address: string, { onData, onEnd, onLost }: Receiver): void => {
  let source: EventSource | undefined
  let isOver = false
  const close = () => {
    source?.close()
    source = undefined
  }
  const open = () => {
    source = new EventSource(address)
    source.addEventListener("message", ({ data }: MessageEvent<string>) => onData(data))
    source.addEventListener("error", () => onLost?.())
    source.addEventListener("end", () => {
      isOver = true
      close()
      onEnd?.()
    })
  }
  const follow = () => {
    if (document.visibilityState === "hidden") close()
    else if (source === undefined && !isOver) open()
  }
  document.addEventListener("visibilitychange", follow)
  follow()
}
