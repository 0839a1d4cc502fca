// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import * as NodePath from "@effect/platform-node/NodePath"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as GantryFile from "../../src/config/GantryFile.ts"

/** Runs with these variables and no others of the machine's. */
export const withVariables = (entries: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))

/** Reads a text as `/project/gantry.yaml`, without any variable in the environment. */
export const parse = (text: string, variables: Readonly<Record<string, string>> = {}) =>
  GantryFile.parse(text, { path: "/project/gantry.yaml", variables }).pipe(
    Effect.provide(NodePath.layer),
    withVariables({})
  )

/** The lines that tell what is wrong with a text. */
export const refuse = (text: string, variables?: Readonly<Record<string, string>>) =>
  Effect.match(parse(text, variables), {
    onFailure: ({ lines }): ReadonlyArray<string> => lines,
    onSuccess: () => ["nothing is wrong"]
  })

export const example = `
version: 1
registries:
  prod:   { uri: acme.azurecr.io, flavor: azure, defaultRepository: team/app }
  mirror: { uri: ghcr.io/acme, secret: ghcr, concurrency: 2 }
  local:  { uri: "localhost:5000", tls: "off", concurrency: 8 }
  apps:   { uri: ghcr.io/apps, connector: pusher }
connectors:
  pusher:
    type: github
    method: app-installation
    appId: "7"
    privateKey: { file: secrets/key.pem }
    installationId: 42
  runner: { type: gitlab, method: job-token, allowImplicitMethods: true, host: registry.example.com }
secrets:
  ghcr:
    username: acme-bot
    password: { file: secrets/ghcr }
pushes:
  - source: app:\${VERSION:?set VERSION}
    to: ["@prod/app", "@mirror/app"]
    tags: ["\${VERSION}", "latest"]
  - source: oci:./build/worker#1.4.2
    to: "@prod/worker"
`
