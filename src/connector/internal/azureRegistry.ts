import * as Either from "effect/Either"
import * as RegistryFlavor from "../../flavor/RegistryFlavor.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/** One of Azure's clouds: where identities log in, whom their tokens are for, and whom the id tokens of others are for. */
interface Cloud {
  /** Nothing for the public one, whose address the SDK knows. */
  readonly authority: string | undefined
  readonly audience: string
  readonly idTokenAudience: string
}

const publicCloud: Cloud = {
  authority: undefined,
  // Registries that take no token of the resource manager's take this one: reference/auth.md section 6.
  audience: "https://containerregistry.azure.net",
  idTokenAudience: "api://AzureADTokenExchange"
}

/**
 * https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/containerregistry/container-registry/src/models.ts,
 * https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/src/constants.ts
 */
const sovereignClouds: Readonly<Record<string, Cloud>> = {
  cn: {
    authority: "https://login.chinacloudapi.cn",
    audience: "https://management.chinacloudapi.cn",
    idTokenAudience: "api://AzureADTokenExchangeChina"
  },
  us: {
    authority: "https://login.microsoftonline.us",
    audience: "https://management.usgovcloudapi.net",
    idTokenAudience: "api://AzureADTokenExchangeUSGov"
  },
  de: {
    authority: "https://login.microsoftonline.de",
    audience: "https://management.microsoftazure.de",
    idTokenAudience: publicCloud.idTokenAudience
  }
}

/** The cloud of a registry, by the end of its host. */
export const cloudOf = (host: string): Cloud => sovereignClouds[host.slice(host.lastIndexOf(".") + 1)] ?? publicCloud

const bareName = /^[a-z0-9]{1,50}$/i
const armId =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/registries\/([a-z0-9]{1,50})\/?$/i

/** A name alone as the address that it has in the public cloud, anything else as it is. */
const addressOf = (text: string): string => {
  const name = bareName.test(text) ? text : armId.exec(text)?.[1]
  return name === undefined ? text : `${name}.azurecr.io`
}

const refuse = (input: string) =>
  Either.left({
    message: `${input} is no registry of Azure; write its login server, as <name>.azurecr.io, its name, or its id /subscriptions/…/registries/<name>`
  })

/**
 * The login server of a registry, which is all that a token is for. Domain name labels, regional endpoints and sovereign
 * clouds are in the login server only, so that is never made of a name when there is one.
 */
export const parse = (text: string): Either.Either<string, { readonly message: string }> =>
  Either.match(RegistryUri.parse(addressOf(text)), {
    onLeft: ({ input }) => refuse(input),
    onRight: (uri) => (RegistryFlavor.azure.matchesHost(uri.host) ? Either.right(uri.host) : refuse(String(uri)))
  })
