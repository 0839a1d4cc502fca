import type * as http from "node:http"
import type * as https from "node:https"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { StackError } from "../StackError.ts"

/** Listens on a loopback port (0: any) until the scope closes, which cuts what is still connected. Answers the port. */
export const listen = (
  server: http.Server | https.Server,
  port: number
): Effect.Effect<number, StackError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<number, StackError>((resume) => {
      server.once("error", (error) => resume(Effect.fail(new StackError({ message: error.message }))))
      server.listen(port, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : port))
      })
    }),
    () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
