import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type * as GcpConnector from "../GcpConnector.ts"
import {
  allowImplicitMethods,
  make as connectorType,
  integer,
  method,
  optional,
  secret,
  text
} from "../internal/connectorType.ts"
import { idToken, idTokenOf } from "../internal/idTokenField.ts"

/** Connectors are loaded when one is made, and the library when a credential is issued. */
const connector = Effect.promise(() => import("../GcpConnector.ts"))

const settings = {
  project: optional(text("the only project whose registries it is for; every project's when left out")),
  location: optional(text("where the project's repositories are listed, as europe-west3")),
  host: optional(text("the one host it is for in place of Google's, as a proxy before them")),
  stsEndpoint: optional(text("an address in place of the Security Token Service's")),
  iamCredentialsEndpoint: optional(text("an address in place of the IAM Service Account Credentials API's")),
  artifactRegistryEndpoint: optional(text("an address in place of the Artifact Registry API's"))
}

interface Settings {
  readonly project?: string | undefined
  readonly location?: string | undefined
  readonly host?: string | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly stsEndpoint?: string | undefined
  readonly iamCredentialsEndpoint?: string | undefined
  readonly artifactRegistryEndpoint?: string | undefined
}

const settingsOf = (values: Settings): GcpConnector.Settings => ({
  project: values.project,
  location: values.location,
  host: values.host,
  allowImplicitMethods: values.allowImplicitMethods,
  endpoints: {
    sts: values.stsEndpoint,
    iamCredentials: values.iamCredentialsEndpoint,
    artifactRegistry: values.artifactRegistryEndpoint
  }
})

const key = secret("the key of the service account, the JSON text that Google gives out")

const make = <R = never>(options: GcpConnector.Options<R>) => Effect.flatMap(connector, ({ make }) => make(options))

/** Google Artifact Registry, and the hosts of Container Registry. */
export const gcp = connectorType({
  type: "gcp",
  displayName: "Google Cloud",
  flavors: ["gcp"],
  packages: [{ name: "google-auth-library", range: ">=9.15 <12" }],
  docsUrl: "https://cloud.google.com/artifact-registry/docs/docker/authentication",
  authMethods: [
    method({
      name: "default-credentials",
      about: "whatever identity the machine has: a file, gcloud's login or the metadata server",
      isImplicit: true,
      fields: { allowImplicitMethods, ...settings },
      make: (values) => make({ authMethod: "default-credentials", ...settingsOf(values) })
    }),
    method({
      name: "service-account",
      about: "a key of a service account",
      fields: { key, ...settings },
      make: (values) => make({ authMethod: "service-account", key: values.key, ...settingsOf(values) })
    }),
    method({
      name: "workload-identity",
      about: "the identity that a CI job or a pod has by its id token",
      fields: {
        workloadIdentityProvider: text(
          "the provider, projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
        ),
        serviceAccount: optional(text("the email of a service account that the identity acts as")),
        idToken,
        ...settings
      },
      make: ({ idToken, serviceAccount, workloadIdentityProvider, ...values }) =>
        Effect.flatMap(idTokenOf(idToken), (idToken) =>
          make<HttpClient.HttpClient>({
            authMethod: "workload-identity",
            workloadIdentityProvider,
            serviceAccount,
            idToken,
            ...settingsOf(values)
          })
        )
    }),
    method({
      name: "impersonation",
      about: "a service account that the one of a given key may act as",
      fields: {
        key,
        serviceAccount: text("the email of the service account to act as"),
        lifetimeSeconds: optional(integer("how long a token shall last, in seconds")),
        ...settings
      },
      make: ({ key, lifetimeSeconds, serviceAccount, ...values }) =>
        make({
          authMethod: "impersonation",
          source: { authMethod: "service-account", key },
          serviceAccount,
          lifetime: lifetimeSeconds === undefined ? undefined : `${lifetimeSeconds} seconds`,
          ...settingsOf(values)
        })
    }),
    method({
      name: "access-token",
      about: "an access token that somebody else was given",
      fields: { token: secret("the token"), ...settings },
      make: (values) => make({ authMethod: "access-token", token: values.token, ...settingsOf(values) })
    })
  ]
})
