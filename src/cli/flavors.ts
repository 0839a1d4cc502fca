/**
 * `gantry flavors`: the kinds of registry, what they match, what connector they need.
 */
import * as Effect from "effect/Effect"
import * as RegistryFlavor from "../flavor/RegistryFlavor.ts"
import { type Command, noWords } from "./Command.ts"
import { jsonDocument } from "./internal/jsonText.ts"
import { decode, type OptionTable } from "./OptionTable.ts"
import { output } from "./PushOptions.ts"
import { Stdio } from "./Stdio.ts"

const flavorsOptions = { output: output("A table (text), or JSON (json). Default: text.") } satisfies OptionTable

/** Hosts of each flavor, as people know them; the default flavor's are all others. */
export const hostExamples: { readonly [flavor: string]: ReadonlyArray<string> } = {
  azure: ["contoso.azurecr.io", "contoso.azurecr.cn", "contoso.azurecr.us"],
  aws: ["123456789012.dkr.ecr.eu-central-1.amazonaws.com", "public.ecr.aws"],
  dockerhub: ["docker.io", "index.docker.io"],
  gcp: ["europe-west3-docker.pkg.dev", "gcr.io", "eu.gcr.io"],
  github: ["ghcr.io"],
  gitlab: ["registry.gitlab.com"]
}

const describe = ({ displayName, docsUrl, name, serviceConnectorRequirements }: RegistryFlavor.RegistryFlavor) => ({
  name,
  displayName,
  hosts: hostExamples[name] ?? [],
  connectors: serviceConnectorRequirements.connectorTypes,
  docsUrl
})

type Description = ReturnType<typeof describe>

const table = (flavors: ReadonlyArray<Description>): string => {
  const rows = flavors.map(({ connectors, displayName, hosts, name }) => [
    name,
    displayName,
    connectors.length === 0 ? "any" : connectors.join(" or "),
    hosts.length === 0 ? "every other host" : hosts.join(", ")
  ])
  const lines = [["NAME", "REGISTRY", "CONNECTOR", "HOSTS"], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) => `${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("")
}

export const flavors: Command = {
  options: flavorsOptions,
  words: noWords,
  about: "Show the kinds of registry, the hosts they are on, and what connector they need.",
  notes: [],
  run: Effect.fnUntraced(function* ({ given }) {
    const { stdout } = yield* Stdio
    const settings = yield* decode(flavorsOptions, given)
    const known = (yield* RegistryFlavor.RegistryFlavors).map(describe)
    yield* stdout(settings.output === "json" ? jsonDocument(known) : table(known))
    return 0
  })
}
