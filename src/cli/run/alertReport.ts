/** Prints where alerts have arrived, and what else has become of them. */
import type { Alert } from "../../Alert.ts"
import type { AlerterError } from "../../Alerter.ts"
import type { Leaf } from "../../config/internal/apply/alerter.ts"
import type { Decoded } from "../../config/internal/file/decode.ts"
import { showPath } from "../../config/internal/file/positions.ts"
import type { ChannelName } from "../../config/internal/schema/alerter.ts"
import { padTo } from "../../internal/text/columns.ts"
import { fitEnd, oneLine } from "../../internal/text/fit.ts"
import { err, out } from "./environment.ts"
import type { Session } from "./session.ts"
import type { Post } from "./watching.ts"

/** The channel that drops alerts. */
const nowhere: ChannelName = "none"

/** An alert that did not arrive. */
export interface Lost {
  readonly alert: Alert
  readonly error: AlerterError
}

const stateOf = ({ leaf, why }: Post): "arrived" | "dropped" | "failed" => {
  if (why !== undefined) return "failed"
  return leaf.name === nowhere ? "dropped" : "arrived"
}

/** Prints posts, and what else becomes of alerts, for people or as JSON. */
export class Report {
  readonly #session: Session
  readonly #file: Pick<Decoded, "file" | "positionOf">
  readonly #posts: Array<Post> = []

  constructor(session: Session, file: Pick<Decoded, "file" | "positionOf">) {
    this.#session = session
    this.#file = file
  }

  readonly add = (post: Post): void => void this.#posts.push(post)

  /** Whether a post to a place has failed. */
  get hasFailed(): boolean {
    return this.#posts.some(({ why }) => why !== undefined)
  }

  /** Whether an alert of which this holds, or one that combines such an alert, has arrived anywhere. */
  hasArrived(isOwn: (alert: Alert) => boolean): boolean {
    return this.#posts.some((post) =>
      stateOf(post) === "arrived" && (isOwn(post.alert) || post.alert.combines.some(isOwn))
    )
  }

  /** Prints the posts: those that have arrived to standard output, the others to standard error. */
  printPosts(): void {
    const { emit, redact } = this.#session
    if (emit !== undefined) {
      for (const post of this.#posts) {
        const { alert: { severity, title }, leaf, why } = post
        const place = this.#placeOf(leaf)
        emit({ _tag: "AlertPosted", state: stateOf(post), channel: leaf.name, place, severity, title, why })
      }
      return
    }
    const lines = padTo(this.#posts.map((post) => [
      stateOf(post),
      post.leaf.name,
      this.#placeOf(post.leaf),
      fitEnd(oneLine(redact(post.why ?? post.alert.title)), 200)
    ]))
    lines.forEach((line, i) => this.#posts[i]?.why === undefined ? out(line) : err(line))
  }

  /** Prints alerts that are lost, but where a failed post has said why. */
  printLost(lost: ReadonlyArray<Lost>): void {
    const { emit, redact } = this.#session
    const reasons = this.#posts.flatMap(({ why }) => why ?? [])
    for (const { alert: { severity, title }, error: { channel, message, reason } } of lost) {
      if (reasons.some((why) => message.endsWith(why))) continue
      if (emit !== undefined) emit({ _tag: "AlertLost", title, severity, channel, reason: reason._tag, message })
      else err(`alert not delivered: ${fitEnd(oneLine(redact(title)), 120)}: ${fitEnd(oneLine(redact(message)), 300)}`)
    }
  }

  /** Prints something else: a line for people, or an object as JSON. */
  print(line: string, value: object): void {
    const { emit } = this.#session
    if (emit === undefined) out(line)
    else emit(value)
  }

  #placeOf({ path }: Leaf): string {
    const { file, positionOf } = this.#file
    const whole = ["alerter", ...path]
    const position = positionOf(whole)
    // of the command line
    if (position === undefined) return `--alert-url ${showPath(path)}`
    return `${file}:${position.line}:${position.column} ${showPath(whole)}`
  }
}
