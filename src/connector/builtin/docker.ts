import * as Effect from "effect/Effect"
import { make, method, optional, secret, text } from "../internal/connectorType.ts"

/** Connectors are loaded when one is made. */
const connector = Effect.promise(() => import("../DockerConnector.ts"))

/** A username and a password, which every registry takes. */
export const docker = make({
  type: "docker",
  displayName: "Docker",
  docsUrl: "https://docs.docker.com/security/access-tokens/",
  authMethods: [
    method({
      name: "password",
      about: "a username and a password, or a token in its place",
      fields: {
        username: text("the username"),
        password: secret("the password or token"),
        registry: optional(text("the registry's host, docker.io when left out"))
      },
      make: (values) => Effect.flatMap(connector, ({ make }) => make(values))
    })
  ]
})
