import { createServer } from "node:net"
import * as Effect from "effect/Effect"

/** A loopback port that nobody listens on. A registry has to keep its port over a restart, so it can not ask for 0. */
export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})
