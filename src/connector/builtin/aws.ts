import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type * as AwsConnector from "../AwsConnector.ts"
import {
  allowImplicitMethods,
  make as connectorType,
  flag,
  integer,
  method,
  optional,
  secret,
  text
} from "../internal/connectorType.ts"
import { idToken, idTokenOf } from "../internal/idTokenField.ts"

/** Connectors are loaded when one is made, and the SDK when a credential is issued. */
const connector = Effect.promise(() => import("../AwsConnector.ts"))

const settings = {
  region: optional(text("the only region whose registries it is for; each registry's own when left out")),
  createRepository: optional(flag("true, to create a missing repository before a push")),
  ecrEndpoint: optional(text("an address in place of ECR's")),
  ecrPublicEndpoint: optional(text("an address in place of ECR Public's")),
  stsEndpoint: optional(text("an address in place of STS's"))
}

const role = {
  roleArn: text("the role's ARN"),
  sessionName: optional(text("the session's name, gantry when left out")),
  durationSeconds: optional(integer("how long the session shall last, in seconds"))
}

const keys = { accessKeyId: text("the access key's id"), secretAccessKey: secret("the secret access key") }

interface Settings {
  readonly region?: string | undefined
  readonly createRepository?: boolean | undefined
  readonly allowImplicitMethods?: boolean | undefined
  readonly ecrEndpoint?: string | undefined
  readonly ecrPublicEndpoint?: string | undefined
  readonly stsEndpoint?: string | undefined
}

const settingsOf = (values: Settings): AwsConnector.Settings => ({
  region: values.region,
  createRepository: values.createRepository,
  allowImplicitMethods: values.allowImplicitMethods,
  endpoints: { ecr: values.ecrEndpoint, ecrPublic: values.ecrPublicEndpoint, sts: values.stsEndpoint }
})

interface Role {
  readonly roleArn: string
  readonly sessionName?: string | undefined
  readonly durationSeconds?: number | undefined
}

const roleOf = ({ durationSeconds, roleArn, sessionName }: Role): AwsConnector.Role => ({
  roleArn,
  sessionName,
  duration: durationSeconds === undefined ? undefined : `${durationSeconds} seconds`
})

const make = <R = never>(options: AwsConnector.Options<R>) => Effect.flatMap(connector, ({ make }) => make(options))

/** Amazon ECR, private and public. */
export const aws = connectorType({
  type: "aws",
  displayName: "Amazon Web Services",
  flavors: ["aws"],
  packages: [
    { name: "@aws-sdk/client-ecr", range: "^3" },
    { name: "@aws-sdk/client-ecr-public", range: "^3" },
    { name: "@aws-sdk/client-sts", range: "^3" }
  ],
  docsUrl: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html",
  authMethods: [
    method({
      name: "default-chain",
      about: "whatever identity the machine has: environment, profiles, single sign-on, container or instance",
      isImplicit: true,
      fields: { allowImplicitMethods, ...settings },
      make: (values) => make({ authMethod: "default-chain", ...settingsOf(values) })
    }),
    method({
      name: "profile",
      about: "a profile of the machine's AWS configuration",
      isImplicit: true,
      fields: { profile: text("the profile's name"), allowImplicitMethods, ...settings },
      make: (values) => make({ authMethod: "profile", profile: values.profile, ...settingsOf(values) })
    }),
    method({
      name: "access-key",
      about: "the long-lived keys of a user",
      fields: { ...keys, ...settings },
      make: ({ accessKeyId, secretAccessKey, ...values }) =>
        make({ authMethod: "access-key", accessKeyId, secretAccessKey, ...settingsOf(values) })
    }),
    method({
      name: "session-token",
      about: "a session that somebody else opened",
      fields: { ...keys, sessionToken: secret("the session token"), ...settings },
      make: ({ accessKeyId, secretAccessKey, sessionToken, ...values }) =>
        make({ authMethod: "session-token", accessKeyId, secretAccessKey, sessionToken, ...settingsOf(values) })
    }),
    method({
      name: "assume-role",
      about: "a role that the user of given keys may assume",
      fields: { ...keys, ...role, externalId: optional(text("the external id that the role asks for")), ...settings },
      make: ({ accessKeyId, externalId, secretAccessKey, ...values }) =>
        make({
          authMethod: "assume-role",
          source: { authMethod: "access-key", accessKeyId, secretAccessKey },
          externalId,
          ...roleOf(values),
          ...settingsOf(values)
        })
    }),
    method({
      name: "web-identity",
      about: "a role that a CI job or a pod assumes with its id token",
      fields: {
        ...role,
        idToken,
        ...settings
      },
      make: ({ idToken, ...values }) =>
        Effect.flatMap(idTokenOf(idToken), (idToken) =>
          make<HttpClient.HttpClient>({
            authMethod: "web-identity",
            idToken,
            ...roleOf(values),
            ...settingsOf(values)
          })
        )
    })
  ]
})
