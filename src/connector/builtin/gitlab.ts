import * as Effect from "effect/Effect"
import { allowImplicitMethods, make, method, optional, secret, text } from "../internal/connectorType.ts"

/** Connectors are loaded when one is made. */
const connector = Effect.promise(() => import("../GitLabConnector.ts"))

const host = optional(text("the registry's host (CI_REGISTRY), registry.gitlab.com when left out"))

/** GitLab Container Registry, self-managed ones by their host. */
export const gitlab = make({
  type: "gitlab",
  displayName: "GitLab",
  flavors: ["gitlab"],
  docsUrl: "https://docs.gitlab.com/user/packages/container_registry/authenticate_with_container_registry/",
  authMethods: [
    method({
      name: "job-token",
      about: "the login of a job of GitLab CI",
      isImplicit: true,
      fields: { allowImplicitMethods, host },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "job-token", ...values }))
    }),
    method({
      name: "deploy-token",
      about: "a deploy token with write_registry",
      fields: { username: text("the deploy token's username"), token: secret("the deploy token"), host },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "deploy-token", ...values }))
    }),
    method({
      name: "personal-token",
      about: "a personal, project or group access token with write_registry",
      fields: { username: text("the name that the token belongs to"), token: secret("the token"), host },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "personal-token", ...values }))
    })
  ]
})
