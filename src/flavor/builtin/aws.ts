import * as Either from "effect/Either"
import { InvalidRegistryUri } from "../../reference/RegistryUri.ts"
import { make } from "../internal/flavor.ts"
import * as ServiceConnectorRequirements from "../ServiceConnectorRequirements.ts"

// https://github.com/awslabs/amazon-ecr-credential-helper: all partitions, FIPS, dual-stack (reference/auth.md section 5).
const privateHost =
  /^\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9][a-z0-9_-]*\.(?:amazonaws\.(?:com|com\.cn|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/
const publicHosts: ReadonlySet<string> = new Set(["public.ecr.aws", "ecr-public.aws.com"])

/** Amazon Elastic Container Registry, private and public. */
export const aws = make({
  name: "aws",
  displayName: "Amazon ECR",
  serviceConnectorRequirements: ServiceConnectorRequirements.connector("aws"),
  docsUrl: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html",
  sdkDocsUrl: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html",
  logoUrl: "https://public-flavor-logos.s3.eu-central-1.amazonaws.com/container_registry/aws.png",
  // A public registry's host is one for all accounts, so its alias is a path.
  validateUri: (uri) =>
    uri.path === "" || publicHosts.has(uri.host)
      ? Either.void
      : Either.left(
          new InvalidRegistryUri({
            input: uri.toString(),
            position: uri.toString().length - uri.path.length - 1,
            expected: "no path: the registry of an AWS account is its host alone"
          })
        ),
  matchesHost: (host) => publicHosts.has(host) || privateHost.test(host)
})
