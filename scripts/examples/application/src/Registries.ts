/** Where releases go: one registry on the developer's machine, and two with logins of their own in production. */
import { Config, Effect, Layer } from "effect"
import { Authentication, DockerConnector, RegistryCatalog, SecretStore } from "gantry"

const development = Layer.unwrapEffect(
  Effect.map(Config.withDefault(Config.string("LOCAL_REGISTRY"), "localhost:5000"), (uri) =>
    RegistryCatalog.layer({ local: { uri } })
  )
)

/**
 * The company's registry takes a secret, read again for each push, and no tag in it ever moves; the public one takes what a
 * connector issues.
 */
const production = Layer.unwrapEffect(
  Effect.map(
    Config.all({ company: Config.string("COMPANY_REGISTRY"), hub: Config.string("PUBLIC_REGISTRY") }),
    ({ company, hub }) =>
      RegistryCatalog.layer({
        company: { uri: company, authentication: Authentication.secret("company"), protect: ["*"] },
        public: { uri: hub, authentication: Authentication.connector() }
      })
  )
).pipe(
  // GANTRY_SECRET_COMPANY_USERNAME and GANTRY_SECRET_COMPANY_PASSWORD
  Layer.provide(SecretStore.layerConfig),
  Layer.provide(
    DockerConnector.layerConfig({
      registry: Config.string("PUBLIC_REGISTRY"),
      username: Config.string("PUBLIC_USERNAME"),
      password: Config.redacted("PUBLIC_PASSWORD")
    })
  )
)

const environments = { development, production }

export const layer = Layer.unwrapEffect(
  Config.literal(
    "development",
    "production"
  )("ENVIRONMENT").pipe(
    Config.withDefault("development"),
    Effect.map((name) => environments[name])
  )
)
