import * as Effect from "effect/Effect"
import { allowImplicitMethods, integer, make, method, optional, secret, text } from "../internal/connectorType.ts"

/** Connectors are loaded when one is made. */
const connector = Effect.promise(() => import("../GitHubConnector.ts"))

const host = optional(text("the registry's host, ghcr.io when left out"))

/** GitHub Container Registry. */
export const github = make({
  type: "github",
  displayName: "GitHub",
  flavors: ["github"],
  docsUrl:
    "https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
  authMethods: [
    method({
      name: "token",
      about: "a personal access token (classic) with write:packages",
      fields: { token: secret("the token"), username: optional(text("any name; x-access-token when left out")), host },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "token", ...values }))
    }),
    method({
      name: "actions-token",
      about: "GITHUB_TOKEN of a job of GitHub Actions with permissions: packages: write",
      isImplicit: true,
      fields: { allowImplicitMethods, host },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "actions-token", ...values }))
    }),
    method({
      name: "app-installation",
      about: "a GitHub App with the permission packages: write",
      fields: {
        appId: text("the App's id (quoted) or client id"),
        privateKey: secret("the App's private key, a PEM text"),
        installationId: optional(integer("the installation's number; looked up for the owner when left out")),
        apiUrl: optional(text("the API's address, https://api.github.com when left out")),
        host
      },
      make: (values) => Effect.flatMap(connector, ({ make }) => make({ authMethod: "app-installation", ...values }))
    })
  ]
})
