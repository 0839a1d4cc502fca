import * as Option from "effect/Option"
import { make } from "../internal/flavor.ts"
import * as ServiceConnectorRequirements from "../ServiceConnectorRequirements.ts"

const hosts: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com"
])

/** Docker Hub. */
export const dockerhub = make({
  name: "dockerhub",
  displayName: "Docker Hub",
  serviceConnectorRequirements: ServiceConnectorRequirements.connector("docker"),
  docsUrl: "https://docs.docker.com/docker-hub/",
  sdkDocsUrl: "https://docs.docker.com/reference/api/hub/latest/",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/docker.png",
  matchesHost: (host) => hosts.has(host),
  // reference/auth.md section 1 (the key in config.json) and clients.md section 8 (the API's host).
  quirks: {
    apiHost: Option.some("registry-1.docker.io"),
    credentialKey: Option.some("https://index.docker.io/v1/")
  }
})
