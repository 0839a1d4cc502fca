import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type * as AzureConnector from "../AzureConnector.ts"
import {
  allowImplicitMethods,
  make as connectorType,
  method,
  optional,
  secret,
  text
} from "../internal/connectorType.ts"
import { idToken, idTokenOf } from "../internal/idTokenField.ts"

/** Connectors are loaded when one is made, and the SDK when a credential is issued. */
const connector = Effect.promise(() => import("../AzureConnector.ts"))

const settings = {
  authorityEndpoint: optional(text("an address in place of the login service's")),
  registryEndpoint: optional(text("an address in place of the registry's own"))
}

const entra = {
  audience: optional(text("whom Entra tokens are for, in place of what the registry's cloud has")),
  ...settings
}

const application = {
  tenantId: text("the tenant's id"),
  clientId: text("the application's id (client id)")
}

interface Settings {
  readonly audience?: string | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly authorityEndpoint?: string | undefined
  readonly registryEndpoint?: string | undefined
}

const settingsOf = (values: Settings): AzureConnector.Settings => ({
  audience: values.audience,
  allowImplicitMethods: values.allowImplicitMethods,
  endpoints: { authority: values.authorityEndpoint, registry: values.registryEndpoint }
})

const make = <R = never>(options: AzureConnector.Options<R>) => Effect.flatMap(connector, ({ make }) => make(options))

/** Azure Container Registry. */
export const azure = connectorType({
  type: "azure",
  displayName: "Microsoft Azure",
  flavors: ["azure"],
  packages: [{ name: "@azure/identity", range: ">=4.9 <5" }],
  docsUrl: "https://learn.microsoft.com/azure/container-registry/container-registry-authentication",
  authMethods: [
    method({
      name: "default-chain",
      about: "whatever identity the machine has: environment, workload or managed identity, logins of tools",
      isImplicit: true,
      fields: { allowImplicitMethods, ...entra },
      make: (values) => make({ authMethod: "default-chain", ...settingsOf(values) })
    }),
    method({
      name: "managed-identity",
      about: "the identity that Azure gives the machine",
      isImplicit: true,
      fields: {
        clientId: optional(text("the client id of an identity that a user assigned; the system's when left out")),
        allowImplicitMethods,
        ...entra
      },
      make: ({ clientId, ...values }) => make({ authMethod: "managed-identity", clientId, ...settingsOf(values) })
    }),
    method({
      name: "service-principal",
      about: "an application with a client secret",
      fields: { ...application, clientSecret: secret("the client secret's value"), ...entra },
      make: ({ clientId, clientSecret, tenantId, ...values }) =>
        make({ authMethod: "service-principal", clientId, clientSecret, tenantId, ...settingsOf(values) })
    }),
    method({
      name: "workload-identity",
      about: "an application as which a CI job or a pod logs in with its id token",
      fields: {
        ...application,
        idToken,
        ...entra
      },
      make: ({ clientId, idToken, tenantId, ...values }) =>
        Effect.flatMap(idTokenOf(idToken), (idToken) =>
          make<HttpClient.HttpClient>({
            authMethod: "workload-identity",
            clientId,
            tenantId,
            idToken,
            ...settingsOf(values)
          })
        )
    }),
    method({
      name: "access-token",
      about: "an Entra token that somebody else asked for",
      fields: { token: secret("the token"), registryEndpoint: settings.registryEndpoint },
      make: ({ token, ...values }) => make({ authMethod: "access-token", token, ...settingsOf(values) })
    })
  ]
})
