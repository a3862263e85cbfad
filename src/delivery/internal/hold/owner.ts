/** Names this process for others on the machine, which can tell by the name whether it is gone. */
import { identify, type Identity, lives } from "../../../internal/files/identity.ts"

let own: { readonly identity: Identity; readonly name: string } | undefined

const self = () => {
  if (own !== undefined) return own
  const identity = identify()
  return own = { identity, name: JSON.stringify(identity) }
}

/** Returns the name of this process. */
export const owner = (): string => self().name

/** Returns whether a process is certainly gone. One of another machine or container may always be alive. */
export const isGone = (name: string): boolean => {
  if (name === owner() || !name.startsWith("{")) return false
  // the cast: processes alone write claims
  return lives(JSON.parse(name) as Identity, self().identity) === false
}
