import * as Either from "effect/Either"
import * as RegistryFlavor from "../../flavor/RegistryFlavor.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/** The registry of one account in one region. `host` is the one asked for: its suffix, FIPS and dual-stack are kept. */
export interface PrivateRegistry {
  readonly _tag: "PrivateRegistry"
  readonly host: string
  readonly account: string
  readonly region: string
  readonly fips: boolean
  readonly dualStack: boolean
}

/** The one registry of public images, whose API is in one region: https://docs.aws.amazon.com/AmazonECR/latest/public/. */
export interface PublicRegistry {
  readonly _tag: "PublicRegistry"
  readonly host: string
  readonly region: "us-east-1"
}

export type EcrRegistry = PrivateRegistry | PublicRegistry

const PUBLIC_HOST = "public.ecr.aws"

/** https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json */
const suffixes: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
  "aws-eusc": "amazonaws.eu",
  "aws-iso": "c2s.ic.gov",
  "aws-iso-b": "sc2s.sgov.gov",
  "aws-iso-e": "cloud.adc-e.uk",
  "aws-iso-f": "csp.hci.ic.gov"
}

const privateHost = /^(\d{12})\.dkr[.-]ecr(-fips)?\.([^.]+)\.(.+)$/
const privateArn = /^arn:(aws[a-z-]*):ecr:([a-z0-9-]+):(\d{12}):repository(\/.+)?$/
const publicArn = /^arn:aws:ecr-public:(?:us-east-1)?:\d{12}:repository(\/.+)?$/

/** An ARN as the address that it stands for, anything else as it is. */
const addressOf = (text: string): string => {
  const [, partition = "", region, account, path = ""] = privateArn.exec(text) ?? []
  const suffix = suffixes[partition]
  if (suffix !== undefined) return `${account}.dkr.ecr.${region}.${suffix}${path}`
  const found = publicArn.exec(text)
  return found === null ? text : `${PUBLIC_HOST}${found[1] ?? ""}`
}

const registryOf = (host: string): EcrRegistry => {
  const [, account, fips, region, suffix] = privateHost.exec(host) ?? []
  if (account === undefined || region === undefined) return { _tag: "PublicRegistry", host, region: "us-east-1" }
  const dualStack = suffix?.startsWith("on.") ?? false
  return { _tag: "PrivateRegistry", host, account, region, fips: fips !== undefined, dualStack }
}

/** The caller's own registry in a region, before its account is known. */
export const ownOf = (region: string): PrivateRegistry => ({
  _tag: "PrivateRegistry",
  host: `ecr.${region}`,
  account: "",
  region,
  fips: false,
  dualStack: false
})

const refuse = (message: string) =>
  Either.left({
    message: `${message}; write <account>.dkr.ecr.<region>.amazonaws.com, arn:aws:ecr:<region>:<account>:repository or ${PUBLIC_HOST}`
  })

/** Parses a registry's address, or the ARN of one of its repositories: the registry is all that a token is for. */
export const parse = (text: string): Either.Either<EcrRegistry, { readonly message: string }> =>
  Either.match(RegistryUri.parse(addressOf(text)), {
    onLeft: ({ input }) => refuse(`${input} is no registry of Amazon ECR`),
    onRight: (uri) =>
      RegistryFlavor.aws.matchesHost(uri.host)
        ? Either.right(registryOf(uri.host))
        : refuse(`${uri} is no registry of Amazon ECR`)
  })
