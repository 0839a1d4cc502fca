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
  Effect.map(Effect.flip(parse(text, variables)), ({ lines }) => lines)

export const example = `
version: 1
registries:
  prod:   { uri: acme.azurecr.io, flavor: azure, defaultRepository: team/app }
  mirror: { uri: ghcr.io/acme, secret: ghcr, concurrency: 2 }
  local:  { uri: "localhost:5000", tls: "off", concurrency: 8 }
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
