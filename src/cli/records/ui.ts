/** Implements `epilogue ui`, which serves a page with the recorded runs. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { codeOf } from "../../internal/files/private.ts"
import { layerUi } from "../../report/Ui.ts"
import { type UiRequest, UsageError } from "../request.ts"
import { err, out } from "../terminal.ts"
import { perform, shownFolder } from "./find.ts"

/** Serves the page until the process is ended. */
export const ui = (request: UiRequest): Promise<number> => {
  const { folder, port } = request
  const page = layerUi({
    folder,
    onLink: (link) => {
      out(link)
      err(`shows the runs in ${shownFolder(request)}; Ctrl-C ends it`)
    }
  })
  const server = NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })
  return perform(
    Layer.launch(Layer.provide(page, server)).pipe(
      Effect.catchTag(
        "ServeError",
        ({ cause }) =>
          Effect.fail(new UsageError({ message: `can't listen on port ${port} of 127.0.0.1: ${codeOf(cause)}` }))
      )
    )
  )
}
