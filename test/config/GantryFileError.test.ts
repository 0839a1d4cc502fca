// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as yaml from "yaml"
import * as ConnectorType from "../../src/connector/ConnectorType.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"
import { example, parse, refuse } from "./support.ts"

const types = ConnectorType.builtin.map(({ type }) => type).join(", ")

const prefix = "/project/gantry.yaml:"

const typos: Readonly<Record<string, { readonly text: string; readonly lines: ReadonlyArray<string> }>> = {
  "a misspelt section": {
    text: `version: 1
registry:
  prod: { uri: ghcr.io/acme }`,
    lines: [
      "2:1: registry: unknown key; did you mean registries? (known here: version, registries, secrets, connectors, pushes)"
    ]
  },
  "a misspelt field": {
    text: `version: 1
registries:
  prod:
    url: ghcr.io/acme`,
    lines: [
      "3:3: registries.prod.uri: is missing; write the registry's address, host[:port][/path]",
      "4:5: registries.prod.url: unknown key; did you mean uri? (known here: uri, flavor, secret, connector, tls, concurrency, defaultRepository, protect)"
    ]
  },
  "no version": {
    text: "registries: {}",
    lines: ["1:1: version: is missing; write the version of this format, which is 1"]
  },
  "a target without quotes": {
    text: `version: 1
pushes:
  - source: app
    to: @prod/app`,
    lines: ['4:9: a text can not begin with @, ` or % unless quoted; quote it, as in "@prod/app"']
  },
  "a misspelt registry": {
    text: `version: 1
registries: { prod: { uri: ghcr.io/acme }, local: { uri: "localhost:5000" } }
pushes:
  - { source: app, to: ["@local/app", "@prd/app"] }`,
    lines: [
      "4:39: pushes[0].to[1]: there is no registry of this name: the names are local, prod (did you mean @prod?); write one of them, or add it under registries"
    ]
  },
  "a misspelt secret and a misspelt flavor": {
    text: `version: 1
registries:
  prod: { uri: ghcr.io/acme, secret: ghrc, flavor: git-hub }
secrets:
  ghcr: { username: bot, password: { env: GHCR_TOKEN } }`,
    lines: [
      "3:38: registries.prod.secret: there is no secret of this name under secrets, which has ghcr (did you mean ghcr?)",
      "3:52: registries.prod.flavor: expected one of default, azure, aws, dockerhub, gcp, github, gitlab (did you mean github?)"
    ]
  },
  "a password in the file": {
    text: `version: 1
secrets:
  ghcr:
    username: bot
    password: hunter2`,
    lines: [
      "5:15: secrets.ghcr.password: a secret does not stand in this file: put it into an environment variable or a file and write { env: NAME }, { file: PATH } or { stdin: true }; change a secret that stands here, for it has been seen"
    ]
  },
  "a password in braces": {
    text: `version: 1
secrets:
  ghcr: { username: bot, password: { hunter2 } }`,
    lines: [
      "3:36: secrets.ghcr.password: expected exactly one of env, file and stdin, as in { env: NAME }, { file: PATH } or { stdin: true }"
    ]
  },
  "a misspelt source of a secret": {
    text: `version: 1
secrets:
  ghcr: { username: bot, password: { evn: GHCR_TOKEN } }`,
    lines: [
      "3:26: secrets.ghcr.password.env: is missing; write the name of an environment variable (letters, digits and underscores)",
      "3:38: secrets.ghcr.password.evn: unknown key; did you mean env? (known here: env)"
    ]
  },
  "numbers where text belongs": {
    text: `version: 1
secrets: { ghcr: { username: 1234, password: { env: T } } }
pushes:
  - { source: app, to: ghcr.io/acme/app, tags: [1.10, latest] }`,
    lines: [
      "2:30: secrets.ghcr.username: expected the username (quoted when it is a number), or where it is: { env: NAME }, { file: PATH } or { stdin: true }",
      "4:49: pushes[0].tags[0]: expected a tag; quote it, or YAML reads it as something else than text"
    ]
  },
  "unset variables, all of them": {
    text: `version: 1
registries: { prod: { uri: "\${HOST}/acme" } }
pushes:
  - source: app:\${VERSION:?set VERSION}
    to: "@prod/\${NAME}"`,
    lines: [
      "2:28: registries.prod.uri: ${HOST} is not set; set HOST in the environment, or give --set HOST=VALUE",
      "4:13: pushes[0].source: ${VERSION} is not set (set VERSION); set VERSION in the environment, or give --set VERSION=VALUE",
      "5:9: pushes[0].to: ${NAME} is not set; set NAME in the environment, or give --set NAME=VALUE"
    ]
  },
  "a variable in a secret": {
    text: `version: 1
secrets: { ghcr: { username: "\${USER}", password: { env: T } } }`,
    lines: [
      "2:30: secrets.ghcr.username: variables are not put in here; write { env: NAME } to take it from the environment"
    ]
  },
  "a tab and a key that is there twice": {
    text: "version: 1\nversion: 1\nregistries:\n\tprod: 1",
    lines: ["2:1: this key is here twice; remove one of them", "4:1: a tab indents this line; use spaces"]
  },
  "a protected tag that no tag can be": {
    text: `version: 1
registries: { prod: { uri: ghcr.io/acme, protect: ["v*", "v[0-9]", "team/*"] } }`,
    lines: [
      "2:58: registries.prod.protect[1]: expected a tag in which * stands for any characters and ? for one, such as v*",
      "2:68: registries.prod.protect[2]: expected a tag in which * stands for any characters and ? for one, such as v*"
    ]
  },
  "a connector of no known type, and one of no known method": {
    text: `version: 1
connectors:
  a: { type: gihub, method: token }
  b: { type: github, method: app-instalation }
  c: { type: zebra, method: x }`,
    lines: [
      `3:14: connectors.a.type: expected one of ${types} (did you mean github?)`,
      "4:30: connectors.b.method: expected one of token, actions-token, app-installation (did you mean app-installation?)",
      `5:14: connectors.c.type: expected one of ${types}`
    ]
  },
  "a connector without its type and method": {
    text: `version: 1
connectors: { a: { token: { env: T } }, b: github }`,
    lines: [
      `2:15: connectors.a.type: is missing; write the type of the connector: ${types}`,
      "2:15: connectors.a.method: is missing; write how the connector authenticates itself, a method of its type",
      "2:44: connectors.b: expected a connector: { type: TYPE, method: METHOD, … }"
    ]
  },
  "a connector's secret in the file": {
    text: `version: 1
connectors: { a: { type: github, method: token, token: hunter2 } }`,
    lines: [
      "2:56: connectors.a.token: a secret does not stand in this file: put it into an environment variable or a file and write { env: NAME }, { file: PATH } or { stdin: true }; change a secret that stands here, for it has been seen"
    ]
  },
  "misspelt, missing and unfit fields of a connector": {
    text: `version: 1
connectors:
  a:
    type: github
    method: app-installation
    apId: x
    privateKey: { env: KEY }
    installationId: "42"
    apiUrl: "\${API}"
    host: 5000`,
    lines: [
      "3:3: connectors.a.appId: is missing; write the App's id (quoted) or client id",
      "6:5: connectors.a.apId: unknown key; did you mean appId? (known here: appId, privateKey, installationId, apiUrl, host, type, method)",
      "8:21: connectors.a.installationId: expected the installation's number; looked up for the owner when left out",
      "9:13: connectors.a.apiUrl: variables are not put in here; write the text itself",
      "10:11: connectors.a.host: expected the registry's host, ghcr.io when left out; quote it, or YAML reads it as something else than text"
    ]
  },
  "a registry's connector that there is not": {
    text: `version: 1
registries: { prod: { uri: ghcr.io/acme, connector: pushr } }
connectors: { pusher: { type: github, method: token, token: { env: T } } }`,
    lines: [
      "2:53: registries.prod.connector: there is no connector of this name under connectors, which has pusher (did you mean pusher?)"
    ]
  },
  "a registry's connector where there is none": {
    text: `version: 1
registries: { prod: { uri: ghcr.io/acme, connector: pusher } }`,
    lines: [
      "2:53: registries.prod.connector: there is no connector of this name, and none under connectors at all; add it there with its type and method"
    ]
  },
  "connectors of other kinds of registry, and one beside a secret": {
    text: `version: 1
registries:
  a: { uri: ghcr.io/acme, connector: cloud }
  b: { uri: acme.azurecr.io, connector: pusher }
  c: { uri: reg.example.com, connector: cloud }
  d: { uri: ghcr.io/acme, connector: pusher, secret: bot }
connectors:
  pusher: { type: github, method: token, token: { env: T } }
  cloud: { type: aws, method: profile, profile: ci }
secrets: { bot: { username: bot, password: { env: T } } }`,
    lines: [
      '3:38: registries.a.connector: The "aws" connector can not serve this registry as it is. Link a connector of type "docker" or "github".',
      '4:41: registries.b.connector: The "github" connector can not serve this registry as it is. Link a connector of type "azure" or "docker".',
      "6:38: registries.d.connector: this registry has a secret, too; keep the one that is meant"
    ]
  },
  "standard input in a secret and in a connector": {
    text: `version: 1
secrets: { one: { username: bot, password: { stdin: true } } }
connectors: { a: { type: github, method: token, token: { stdin: true } } }`,
    lines: [
      ["2:53", "secrets.one.password"],
      ["3:65", "connectors.a.token"]
    ].map(
      ([place, path]) =>
        `${place}: ${path}.stdin: standard input can be read once, and several fields want it; use { env: NAME } or { file: PATH } for the others`
    )
  },
  "an address of another kind of registry": {
    text: `version: 1
registries: { prod: { uri: ghcr.io/acme, flavor: aws } }`,
    lines: [
      "2:28: registries.prod.uri: expected no path: the registry of an AWS account is its host alone, as a registry of the flavor aws has it"
    ]
  },
  "tags beside a tag, and a digest": {
    text: `version: 1
pushes:
  - { source: app, to: "ghcr.io/acme/app:1", tags: [a] }
  - { source: app, to: "ghcr.io/acme/app@sha256:${"0".repeat(64)}" }`,
    lines: [
      "3:24: pushes[0].to: this target has a tag already; remove it there, or remove tags",
      "4:24: pushes[1].to: expected the end: an image is pushed under a tag, and its digest is the result at offset 16; write @NAME/repository[:tag] or host/repository[:tag]"
    ]
  },
  "standard input twice": {
    text: `version: 1
secrets:
  one: { username: bot, password: { stdin: true } }
  two: { username: bot, password: { stdin: true } }`,
    lines: [3, 4].map(
      (line) =>
        `${line}:44: secrets.${line === 3 ? "one" : "two"}.password.stdin: standard input can be read once, and several fields want it; use { env: NAME } or { file: PATH } for the others`
    )
  },
  "an empty file": {
    text: "# nothing\n",
    lines: ["1:1: expected a mapping that begins with version: 1; nothing stands here"]
  },
  "a second document": {
    text: "version: 1\n---\nversion: 1",
    lines: ["2:1: the file holds several documents; keep what stands before the line ---"]
  },
  "an alias without its anchor": {
    text: "version: 1\nregistries: *none",
    lines: ["2:13: no anchor (&name) of this name stands before this alias"]
  }
}

/** A file with a text in the place of one value, or of one key, for each value and each key that it has. */
const disturbed = (value: unknown, text: string): ReadonlyArray<unknown> => {
  if (Array.isArray(value)) {
    return [text, ...value.flatMap((item, index) => disturbed(item, text).map((other) => value.with(index, other)))]
  }
  if (typeof value !== "object" || value === null) return [text]
  const entries = Object.entries(value)
  return [
    text,
    { [text]: null },
    ...entries.flatMap(([key, child]) => [
      { ...value, [text]: child },
      ...disturbed(child, text).map((other) => ({ ...value, [key]: other }))
    ])
  ]
}

describe("GantryFileInvalid", () => {
  for (const [name, { lines, text }] of Object.entries(typos)) {
    it.effect(`tells ${name} with its place and what to do`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* refuse(text),
          lines.map((line) => `${prefix}${line}`)
        )
      })
    )
  }

  it.effect("tells a cascade of syntax errors once: what is nested too deeply", () =>
    Effect.gen(function* () {
      const lines = yield* refuse("[".repeat(20_000))
      assert.lengthOf(lines, 1)
      assert.include(lines[0] ?? "", "lists and mappings are nested too deeply")
    })
  )

  it.effect("repeats nothing that stands where a secret may have been written by mistake", () =>
    Effect.gen(function* () {
      const files = disturbed(yaml.parse(example), canary)
      assert.isAbove(files.length, 40)
      for (const file of files) {
        const result = yield* Effect.either(parse(yaml.stringify(file), { VERSION: "1" }))
        if (Either.isLeft(result)) assertHidesCanary(result.left)
      }
    })
  )

  it.effect("repeats no value of a variable", () =>
    Effect.gen(function* () {
      for (const text of [
        "version: 1\nregistries: { prod: { uri: 'https://u:${X}@ghcr.io' } }",
        "version: 1\nregistries: { prod: { uri: '${X}' } }",
        "version: 1\npushes: [{ source: '${X}', to: '${X}', tags: '${X}' }, { source: a, to: '@${X}/a' }]"
      ]) {
        assertHidesCanary(yield* Effect.flip(parse(text, { X: canary })))
      }
    })
  )

  it.effect("repeats nothing of a file that is no YAML", () =>
    Effect.gen(function* () {
      for (const text of [
        `password: "${canary}`,
        `a: ${canary}: b`,
        `a: *${canary}`,
        `a: !${canary} b`,
        `- "\\q ${canary}"`,
        `%${canary}`,
        `? [${canary}]\n: a`,
        `a: |3${canary}\n b`,
        `{a: '${canary}'`,
        `${canary}\n${canary}: [`
      ]) {
        assertHidesCanary(yield* Effect.flip(parse(text)))
      }
    })
  )

  const outcome = Effect.fnUntraced(function* (text: string) {
    const result = yield* Effect.either(parse(text, { VERSION: "1" }))
    if (Either.isRight(result)) return assert.strictEqual(result.right.version, 1)
    assert.strictEqual(result.left._tag, "GantryFileInvalid")
    const lineCount = text.split(/\r\n|\r|\n/).length
    for (const { column, line } of result.left.problems) {
      assert.isAtMost(line, lineCount)
      assert.isAtLeast(column, 1)
    }
  })

  const pieces = FastCheck.constantFrom(
    ...[
      "version: 1",
      "registries:",
      "pushes:",
      "secrets:",
      "\n",
      "  ",
      "\t",
      "- ",
      ": ",
      "{",
      "}",
      "[",
      "]",
      ",",
      '"',
      "'"
    ],
    ...[
      "&a ",
      "*a",
      "!t ",
      "|",
      ">",
      "#",
      "? ",
      "@",
      "%",
      "---",
      "...",
      "<<",
      "null",
      "1",
      "${VERSION}",
      "$",
      "uri",
      "é",
      "\r",
      "\0"
    ]
  )

  it.effect.prop("is how every text ends that is no gantry file", [FastCheck.string({ unit: "binary" })], ([text]) =>
    outcome(text)
  )

  it.effect.prop("is how pieces of YAML end in any order", [FastCheck.array(pieces, { maxLength: 40 })], ([texts]) =>
    outcome(texts.join(""))
  )

  it.effect.prop(
    "is how any data ends in the place of a section",
    [FastCheck.jsonValue()],
    ([value]) =>
      Effect.forEach(
        [value, { a: value }, [value]],
        (part) =>
          outcome(JSON.stringify({ version: 1, registries: part, connectors: part, secrets: part, pushes: part })),
        { discard: true }
      ),
    { fastCheck: { numRuns: 30 } }
  )

  it.effect.prop(
    "is how a good file ends that was damaged",
    [FastCheck.nat(example.length), FastCheck.nat(5), pieces],
    ([at, removed, piece]) => outcome(`${example.slice(0, at)}${piece}${example.slice(at + removed)}`)
  )
})
