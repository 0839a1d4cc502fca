// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a file are what is shown
/** The reference of gantry.yaml, from its JSON Schema and the types of connector. Examples are here, and checked. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import { parse } from "yaml"
import * as GantryFile from "../../../src/config/GantryFile.ts"
import * as ConnectorType from "../../../src/connector/ConnectorType.ts"
import { cell, code, plain, table } from "./Markdown.ts"

type Node = Readonly<Record<string, unknown>>

const node = (value: unknown): Node => (Predicate.isReadonlyRecord(value) ? value : {})

const text = (value: unknown): string => (Predicate.isString(value) ? value : "")

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const schema: Node = node(node(node(GantryFile.jsonSchema())["$defs"])["GantryFile"])

/** What each entry of a section of the file may have. */
const entryOf = (section: string): Node => {
  const { items, patternProperties } = node(node(schema["properties"])[section])
  return node(items ?? node(patternProperties)[""])
}

const example = `version: 1
registries:
  prod: { uri: 123456789012.dkr.ecr.eu-central-1.amazonaws.com, connector: aws, defaultRepository: team/app }
  mirror: { uri: ghcr.io/acme, flavor: github, secret: ghcr, protect: ["v*"] }
  local: { uri: "localhost:5000", tls: "off", concurrency: 8 }
connectors:
  aws: { type: aws, method: web-identity, roleArn: "arn:aws:iam::123456789012:role/push" }
secrets:
  ghcr: { username: acme-bot, password: { env: GHCR_TOKEN } }
pushes:
  - { source: "app:\${VERSION:?set VERSION}", to: ["@prod/app", "@mirror/app"], tags: ["v\${VERSION}", latest] }
  - { source: "worker:1", to: "@local/team/worker:1" }
`

/** What a key that may be left out is then. */
const defaults: Readonly<Record<string, string>> = {
  registries: "none",
  connectors: "none",
  secrets: "none",
  pushes: "none",
  "registries.flavor": "by the host",
  "registries.secret": "no credential but the machine's",
  "registries.connector": "no credential but the machine's",
  "registries.tls": "`off` for loopback hosts, `verify` for others",
  "registries.concurrency": "`--concurrency`, else `4`",
  "registries.defaultRepository": "none",
  "registries.protect": "none",
  "pushes.tags": "the target's tag, else the source's, else `latest`"
}

/** A word for what a value may be. */
const typeOf = (value: Node): string => {
  if (value["enum"] !== undefined) return list(value["enum"]).map(String).map(code).join(" or ")
  if (value["anyOf"] !== undefined) return list(value["anyOf"]).map(node).map(typeOf).join(", or ")
  if (value["$ref"] !== undefined) return "whole number"
  if (value["type"] === "array") return `list of ${typeOf(node(value["items"]))}`
  if (value["type"] === "string") return "text"
  return value["type"] === "object" ? code(text(value["description"])) : text(value["type"])
}

const shown = (value: unknown): string => code(Predicate.isString(value) ? value : JSON.stringify(value))

/** The first value that the example has for a key. */
const exampleOf = (entries: ReadonlyArray<Node>, path: string, key: string): string =>
  Option.match(Option.fromNullable(entries.find((entry) => entry[key] !== undefined)), {
    onNone: () => {
      throw new Error(`scripts/lib/pages/filePage.ts has no example for ${path}`)
    },
    onSome: (entry) => shown(entry[key])
  })

const defaultOf = (path: string): string => {
  const known = defaults[path]
  if (known === undefined) throw new Error(`scripts/lib/pages/filePage.ts does not say what ${path} is when left out`)
  return known
}

const keyTable = (section: string, entry: Node, examples: ReadonlyArray<Node>): string =>
  table(
    ["key", "type", "when left out", "what it is", "example"],
    Object.entries(node(entry["properties"])).map(([key, value]) => [
      code(key),
      typeOf(node(value)),
      list(entry["required"]).includes(key) ? "is an error" : defaultOf(`${section}.${key}`),
      cell(text(node(value)["description"])),
      exampleOf(examples, `${section}.${key}`, key)
    ])
  )

const examplesOf = (section: string): ReadonlyArray<Node> => {
  const entries = node(parse(example))[section]
  return (Array.isArray(entries) ? entries : Object.values(node(entries))).map(node)
}

const section = (name: string, words: string): string =>
  [
    `## ${name}`,
    `${plain(text(node(node(schema["properties"])[name])["description"]))}. ${words}`,
    keyTable(name, entryOf(name), examplesOf(name))
  ].join("\n\n")

const kinds: Readonly<Record<ConnectorType.FieldKind, string>> = {
  text: "text",
  secret: "where the secret is",
  integer: "whole number",
  flag: "`true` or `false`"
}

const placeholders: Readonly<Record<ConnectorType.FieldKind, (name: string) => unknown>> = {
  text: (name) => name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase(),
  secret: (name) => ({ env: name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase() }),
  integer: () => 3600,
  flag: () => true
}

/** The least that a connector of the method has to be told. */
const written = (type: ConnectorType.ConnectorType, { fields, isImplicit, name }: ConnectorType.AuthMethod): string => {
  const needed = Record.filter({ ...fields }, ({ isRequired }, field) =>
    isImplicit ? isRequired || field === "allowImplicitMethods" : isRequired
  )
  const entries = Object.entries(needed).map(([field, { kind }]) => [field, placeholders[kind](field)])
  const words = Object.entries({ type: type.type, method: name, ...Object.fromEntries(entries) }).map(
    ([key, value]) => `${key}: ${Predicate.isString(value) ? value : JSON.stringify(value).replaceAll('"', "")}`
  )
  return `  ${type.type}-${name}: { ${words.join(", ")} }\n`.replace(/: \{(\w+):(\w+)\}/g, ": { $1: $2 }")
}

/** What the methods say of a field of one name, in the words of each. */
const aboutOf = ({ authMethods }: ConnectorType.ConnectorType, name: string): string => {
  const fields = authMethods.flatMap(({ fields }) => fields[name] ?? [])
  return [...new Set(fields.map(({ about }) => about))].join("; ")
}

const connector = (type: ConnectorType.ConnectorType): string => {
  const packages = type.packages.map(({ name, range }) => code(`${name}@${range}`))
  const fields = new Map(type.authMethods.flatMap(({ fields }) => Object.entries(fields)))
  const methodsWith = (field: string) => {
    const methods = type.authMethods.filter((method) => method.fields[field] !== undefined)
    const names = methods.map(
      (method) => `${code(method.name)}${method.fields[field]?.isRequired ? " (required)" : ""}`
    )
    const isOfAll =
      methods.length === type.authMethods.length &&
      new Set(methods.map((method) => method.fields[field]?.isRequired)).size === 1
    if (!isOfAll) return names.join(", ")
    return methods[0]?.fields[field]?.isRequired ? "every method (required)" : "every method"
  }
  return [
    `### ${type.displayName}`,
    `\`type: ${type.type}\`${packages.length === 0 ? "" : `, with ${packages.join(", ")} installed where its methods use them`}. [What ${type.displayName} says of it](${type.docsUrl}).`,
    table(
      ["method", "what it takes"],
      type.authMethods.map(({ about, isImplicit, name }) => [
        code(name),
        `${cell(about)}${isImplicit ? "; only with `allowImplicitMethods: true`" : ""}`
      ])
    ),
    table(
      ["key", "type", "methods", "what it is"],
      [...fields].map(([name, { kind }]) => [code(name), kinds[kind], methodsWith(name), cell(aboutOf(type, name))])
    ),
    `\`\`\`yaml\nconnectors:\n${type.authMethods.map((method) => written(type, method)).join("")}\`\`\``
  ].join("\n\n")
}

/** The page. */
export const filePage = (): string =>
  [
    "<!-- Written by `npm run pages` from the file's own schema: change that, or scripts/lib/pages/filePage.ts. -->",
    "# gantry.yaml",
    "`--config FILE` or `GANTRY_CONFIG` names it; else it is `gantry.yaml`, `gantry.yml` or `gantry.json` here or in a folder above. Unknown keys are errors with line, column and the nearest key there is. `gantry config check` reads it and no secret; `gantry schema config` prints its JSON Schema, which editors understand.",
    `\`\`\`yaml\n${example}\`\`\``,
    table(
      ["key", "when left out", "what it is"],
      Object.entries(node(schema["properties"])).map(([key, value]) => [
        code(key),
        list(schema["required"]).includes(key) ? "is an error" : defaultOf(key),
        cell(text(node(value)["description"]))
      ])
    ),
    "Names are lower-case letters, digits and dashes, and begin with a letter. YAML cannot begin a plain text with `@`: quote targets.",
    "## Variables",
    "`${NAME}`, `${NAME:-default}` and `${NAME:?message}` stand for variables in `uri`, `source`, `to` and `tags`, and nowhere else. `--set NAME=VALUE` comes before the environment. All that are unset are told together; `$$` is a dollar.",
    section(
      "registries",
      "A registry has a `secret` or a `connector`, not both; one with neither is asked with what the machine knows (`docker login`, credential helpers)."
    ),
    section(
      "secrets",
      "A password does not stand in the file: `{ env: NAME }` takes it from a variable, `{ file: PATH }` from a file that holds nothing else (counted from this file's folder), `{ stdin: true }` from standard input, once."
    ),
    section("pushes", "Each source goes to every target under every tag."),
    "## connectors",
    "What issues credentials that expire. `type` and `method` say which; the other keys are the method's. The packages are optional and loaded when a credential is issued.",
    ...ConnectorType.builtin.map(connector)
  ]
    .join("\n\n")
    .concat("\n")
