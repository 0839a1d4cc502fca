import { make } from "../internal/flavor.ts"
import * as ServiceConnectorRequirements from "../ServiceConnectorRequirements.ts"

// reference/auth.md section 7: gcr.io and its regions live on as Artifact Registry repositories.
const artifactRegistry = /^[a-z0-9-]+-docker\.pkg\.dev$/
const containerRegistry = /^(?:[a-z0-9-]+\.)?gcr\.io$/

/** Google Artifact Registry, and the hosts of Google Container Registry. */
export const gcp = make({
  name: "gcp",
  displayName: "Google Artifact Registry",
  serviceConnectorRequirements: ServiceConnectorRequirements.connector("gcp"),
  docsUrl: "https://cloud.google.com/artifact-registry/docs/docker/pushing-and-pulling",
  sdkDocsUrl: "https://cloud.google.com/artifact-registry/docs/reference/rest",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/gcp.png",
  matchesHost: (host) => artifactRegistry.test(host) || containerRegistry.test(host)
})
