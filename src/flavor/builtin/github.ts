import { make } from "../internal/flavor.ts"

/** GitHub Container Registry. */
export const github = make({
  name: "github",
  displayName: "GitHub Container Registry",
  docsUrl:
    "https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
  sdkDocsUrl: "https://docs.github.com/rest/packages/packages",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/github.png",
  matchesHost: (host) => host === "ghcr.io"
})
