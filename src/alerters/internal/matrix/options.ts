/** Describes the channel of Matrix in the config file. */
import { severities } from "../../../internal/model/severity.ts"
import * as Matrix from "../../Matrix.ts"
import { serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { oneOrMore, optional, required } from "../channel/schema/structure.ts"

/** Tokens as servers make them, by which they are told from the password of a user. */
const isToken = (text: string): boolean => /^(?:syt|mct|mat)_/.test(text)

/** @internal */
export const matrix = fileChannel<Matrix.MatrixOptions>({
  description: "A room of Matrix",
  variables: { server: "MATRIX_SERVER", token: "MATRIX_TOKEN", room: "MATRIX_ROOM" },
  keys: {
    server: required(Leaf.baseUrl, "The address of the homeserver: `https://matrix.org`, say."),
    token: required(Leaf.token("a token"), "The access token of the user that posts, who is in the room."),
    room: required(
      Leaf.text(
        "the id of a room, as in !id:example.com, or its alias, as in #name:example.com",
        (text) => /^[!#]\S+$/.test(text)
      ),
      "The id of the room, or its alias. Messages are not encrypted."
    ),
    silent: optional(
      oneOrMore(Leaf.oneOf(severities), 0),
      "The severities of alerts that notify nobody. `info` and `success` unless set."
    ),
    ...sending
  },
  layer: Matrix.layer,
  // https://github.com/caronc/apprise/wiki/Notify_matrix
  urls: [{
    schemes: ["matrix", "matrixs"],
    form: "matrixs://TOKEN@HOST/ROOM",
    parameters: ["msgtype", "mode"],
    read: (address) => {
      const { host, password, path: [room, ...more], query: { mode, msgtype }, user } = address
      const token = password ?? user
      // without a token, Apprise logs in by a password, or posts to a bridge
      if (token === undefined || (password !== undefined && !isToken(password))) return undefined
      if (room === undefined || more.length > 0 || (mode !== undefined && mode !== "off")) return undefined
      const named = /^[!#]/.test(room) ? room : `#${room}`
      return {
        server: serverOf(address),
        token,
        room: named.includes(":") ? named : `${named}:${host}`,
        ...(msgtype === undefined ? {} : { silent: msgtype === "notice" ? [...severities] : [] })
      }
    }
  }]
})
