import { make } from "../internal/flavor.ts"
import * as ServiceConnectorRequirements from "../ServiceConnectorRequirements.ts"

// Sovereign clouds, domain name labels and regional endpoints (reference/auth.md section 6). The length of a name is
// for Azure to judge.
const host = /^[a-z0-9]{1,50}(?:-[a-z0-9]+)?(?:\.[a-z0-9]+\.geo)?\.azurecr\.(?:io|cn|us|de)$/

/** Azure Container Registry. */
export const azure = make({
  name: "azure",
  displayName: "Azure Container Registry",
  serviceConnectorRequirements: ServiceConnectorRequirements.connector("azure"),
  docsUrl: "https://learn.microsoft.com/azure/container-registry/container-registry-intro",
  sdkDocsUrl: "https://learn.microsoft.com/rest/api/containerregistry/",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/azure.png",
  matchesHost: (name) => host.test(name)
})
