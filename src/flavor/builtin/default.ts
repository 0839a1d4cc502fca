import { make } from "../internal/flavor.ts"

/** Any registry that speaks the distribution protocol. */
export const defaultFlavor = make({
  name: "default",
  displayName: "Container registry",
  docsUrl: "https://distribution.github.io/distribution/",
  sdkDocsUrl: "https://distribution.github.io/distribution/spec/api/",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/local.svg"
})
