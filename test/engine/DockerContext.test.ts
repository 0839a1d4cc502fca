import { generateKeyPairSync } from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as DockerContext from "../../src/engine/DockerContext.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import { EngineContextInvalid } from "../../src/engine/EngineError.ts"
import * as Docker from "./dockerFolder.ts"

type Environment = Readonly<Record<string, string>>

const within =
  (environment: Environment) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withConfigProvider(effect, ConfigProvider.fromMap(new Map(Object.entries(environment))))

const resolve = (folder: string, environment: Environment = {}, choice?: DockerContext.Choice) =>
  DockerContext.resolve(choice).pipe(within({ HOME: "/nowhere", DOCKER_CONFIG: folder, ...environment }))

const refused = (...parameters: Parameters<typeof resolve>) =>
  Effect.map(Effect.flip(resolve(...parameters)), (error) => {
    assert.instanceOf(error, EngineContextInvalid)
    return error
  })

const pem = (file: string) =>
  NodeFs.readFileSync(fileURLToPath(new URL(`../fixtures/engine-tls/${file}`, import.meta.url)), "utf8")

/** The certificate signs itself. */
const certificates = { "ca.pem": pem("cert.pem"), "cert.pem": pem("cert.pem"), "key.pem": pem("key.pem") }

/** Every way to say which engine is meant, from the one that goes before all others; each means an engine of its own. */
const ways = [
  { way: "context", context: "chosen", host: "unix:///chosen-context", origin: 'context "chosen" (the given context)' },
  { way: "host", host: "unix:///chosen-host", origin: "the given host" },
  { way: "DOCKER_HOST", host: "unix:///docker-host", origin: "DOCKER_HOST" },
  { way: "DOCKER_CONTEXT", context: "env", host: "unix:///env-context", origin: 'context "env" (DOCKER_CONTEXT)' },
  { way: "currentContext", context: "used", host: "unix:///used", origin: 'context "used" (currentContext in ' }
]

const writeWays = (folder: string) => {
  for (const { context, host } of ways) if (context !== undefined) Docker.writeContext(folder, context, { host })
}

describe("DockerContext", () => {
  describe("which engine is meant", () => {
    it.scoped(
      "is said by the first of context, host, DOCKER_HOST, DOCKER_CONTEXT and currentContext that is there",
      () =>
        Effect.gen(function* () {
          const folder = yield* Docker.temporaryFolder
          writeWays(folder)
          for (let mask = 0; mask < 2 ** ways.length; mask++) {
            const used = ways.filter((_, index) => (mask & (1 << index)) !== 0)
            const uses = (way: string) => used.some((one) => one.way === way)
            if (uses("context") && uses("host")) continue
            Docker.writeConfig(folder, uses("currentContext") ? `{"currentContext":"used"}` : "{}")
            const found = yield* resolve(
              folder,
              {
                ...(uses("DOCKER_HOST") ? { DOCKER_HOST: "unix:///docker-host" } : {}),
                ...(uses("DOCKER_CONTEXT") ? { DOCKER_CONTEXT: "env" } : {})
              },
              {
                ...(uses("context") ? { context: "chosen" } : {}),
                ...(uses("host") ? { host: "unix:///chosen-host" } : {})
              }
            )
            const [first] = used
            const said = used.map(({ way }) => way).join(", ")
            assert.strictEqual(found.host, first?.host ?? "unix:///var/run/docker.sock", said)
            assert.strictEqual(found.name, first?.context ?? "default", said)
            assert.isTrue(found.origin.startsWith(first?.origin ?? "the default"), `${said}: ${found.origin}`)
          }
        })
    )

    it.scoped("can not be said by a context and a host at once", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        writeWays(folder)
        const error = yield* refused(folder, {}, { context: "chosen", host: "unix:///x" })
        assert.include(error.message, "at once")
        assert.include(error.message, '"chosen"')
      })
    )

    it.scoped("is not said by variables that are empty", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        writeWays(folder)
        Docker.writeConfig(folder, `{"currentContext":"used"}`)
        const environment = { DOCKER_HOST: "", DOCKER_CONTEXT: "", DOCKER_TLS_VERIFY: "", DOCKER_TLS: "" }
        assert.strictEqual((yield* resolve(folder, environment)).host, "unix:///used")
        Docker.writeConfig(folder, `{"currentContext":""}`)
        assert.strictEqual((yield* resolve(folder, environment)).origin, "the default")
      })
    )

    it.scoped("is the environment's own by the name default, which no file can take", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        Docker.writeContext(folder, "default", { host: "unix:///from-a-file" })
        Docker.writeConfig(folder, `{"currentContext":"default"}`)
        const local = "unix:///var/run/docker.sock"
        assert.strictEqual((yield* resolve(folder)).host, local)
        assert.strictEqual((yield* resolve(folder, { DOCKER_CONTEXT: "default" })).host, local)
        const chosen = yield* resolve(folder, { DOCKER_HOST: "unix:///h" }, { context: "default" })
        assert.deepStrictEqual([chosen.name, chosen.host, chosen.origin], ["default", "unix:///h", "DOCKER_HOST"])
      })
    )

    it.scoped("is looked up in ~/.docker without DOCKER_CONFIG, and messages say where", () =>
      Effect.gen(function* () {
        const home = yield* Docker.temporaryFolder
        const folder = NodePath.join(home, ".docker")
        Docker.writeContext(folder, "prod", { host: "ssh://ci@build" })
        Docker.writeConfig(folder, `{"currentContext":"prod"}`)
        const found = yield* DockerContext.resolve().pipe(within({ HOME: home }))
        assert.strictEqual(found.host, "ssh://ci@build")
        assert.strictEqual(found.origin, `context "prod" (currentContext in ${folder}/config.json)`)
        const choice = { context: "prod", origin: "--context" }
        const chosen = yield* DockerContext.resolve(choice).pipe(within({ HOME: home }))
        assert.strictEqual(chosen.origin, 'context "prod" (--context)')
      })
    )

    it.scoped("is an address with its port, which is 2375 where none is given, as it is for the docker command", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const host = (DOCKER_HOST: string, environment: Environment = {}) =>
          Effect.map(resolve(folder, { DOCKER_HOST, ...environment }), (found) => found.host)
        assert.strictEqual(yield* host("10.0.0.1"), "tcp://10.0.0.1:2375")
        assert.strictEqual(yield* host(" tcp://h:99/ "), "tcp://h:99")
        Docker.writeContext(folder, "secure", { host: "tcp://h", skipVerify: true })
        assert.strictEqual((yield* resolve(folder, {}, { context: "secure" })).host, "tcp://h:2375")
      })
    )

    it.scoped("is the machine's own with the port for TLS when only TLS is asked for", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        NodeFs.writeFileSync(NodePath.join(folder, "ca.pem"), certificates["ca.pem"])
        for (const variable of ["DOCKER_TLS_VERIFY", "DOCKER_TLS"]) {
          const found = yield* resolve(folder, { [variable]: "1" })
          assert.deepStrictEqual([found.host, found.origin], ["tcp://localhost:2376", variable])
        }
      })
    )
  })

  describe("the certificates", () => {
    it.scoped("of an address are those in DOCKER_CERT_PATH, else in Docker's folder, for any DOCKER_TLS_VERIFY", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const other = yield* Docker.temporaryFolder
        NodeFs.writeFileSync(NodePath.join(folder, "ca.pem"), "the folder's")
        for (const [file, text] of Object.entries({ "ca.pem": "ca", "cert.pem": "cert", "key.pem": "key" })) {
          NodeFs.writeFileSync(NodePath.join(other, file), text)
        }
        const host = { DOCKER_HOST: "tcp://h:1" }
        assert.isUndefined((yield* resolve(folder, { ...host, DOCKER_CERT_PATH: other })).tls)
        const own = yield* resolve(folder, { ...host, DOCKER_TLS_VERIFY: "0" })
        assert.deepStrictEqual([own.tls?.ca, own.tls?.key, own.tls?.skipVerify], ["the folder's", undefined, false])
        const given = yield* resolve(folder, { ...host, DOCKER_TLS_VERIFY: "x", DOCKER_CERT_PATH: other })
        assert.deepStrictEqual([given.tls?.ca, given.tls?.certificate], ["ca", "cert"])
        assert.strictEqual(given.tls?.key === undefined ? "" : Redacted.value(given.tls.key), "key")
        const chosen = yield* resolve(folder, { DOCKER_TLS_VERIFY: "1" }, { host: "tcp://h:1" })
        assert.strictEqual(chosen.tls?.ca, "the folder's")
      })
    )

    it.scoped("of an address are not compared with the engine's by DOCKER_TLS alone", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        NodeFs.writeFileSync(NodePath.join(folder, "ca.pem"), "ca")
        const environment = { DOCKER_HOST: "tcp://h:1", DOCKER_TLS: "1" }
        assert.strictEqual((yield* resolve(folder, environment)).tls?.skipVerify, true)
        assert.strictEqual((yield* resolve(folder, { ...environment, DOCKER_TLS_VERIFY: "1" })).tls?.skipVerify, false)
      })
    )

    it.scoped("of an address must be there, and the message says where", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        for (const variable of ["DOCKER_TLS_VERIFY", "DOCKER_TLS"]) {
          const error = yield* refused(folder, { DOCKER_HOST: "tcp://h:1", [variable]: "1" })
          assert.include(error.message, `${variable} is set and there is no ca.pem in ${folder}`)
          assert.include(error.message, "DOCKER_CERT_PATH")
        }
      })
    )

    it.scoped("of a context are the context's own, whatever the environment says", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        Docker.writeContext(folder, "plain", { host: "tcp://h:1" })
        Docker.writeContext(folder, "secure", { host: "tcp://h:1", tls: certificates })
        Docker.writeContext(folder, "authority", { host: "tcp://h:1", tls: { "ca.pem": certificates["ca.pem"] } })
        Docker.writeContext(folder, "lax", { host: "tcp://h:1", skipVerify: true })
        Docker.writeContext(folder, "laxer", { host: "tcp://h:1", skipVerify: true, tls: certificates })
        const tls = (context: string) =>
          Effect.map(
            resolve(folder, { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nowhere" }, { context }),
            (found) =>
              found.tls && [found.tls.ca !== undefined, found.tls.key !== undefined, found.tls.skipVerify === true]
          )
        assert.isUndefined(yield* tls("plain"))
        assert.deepStrictEqual(yield* tls("secure"), [true, true, false])
        assert.deepStrictEqual(yield* tls("authority"), [true, false, false])
        assert.deepStrictEqual(yield* tls("lax"), [false, false, true])
        assert.deepStrictEqual(yield* tls("laxer"), [true, true, true])
      })
    )

    it.scoped("are not read for a socket or for ssh, which have nothing to encrypt", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        for (const host of ["unix:///s", "npipe:////./pipe/x", "ssh://h"]) {
          Docker.writeContext(folder, "local", { host, skipVerify: true, tls: { "key.pem": "half a pair" } })
          assert.isUndefined((yield* resolve(folder, {}, { context: "local" })).tls)
          assert.isUndefined((yield* resolve(folder, { DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1" })).tls)
        }
      })
    )

    it.scoped("can not be half a pair, or a file that can not be read", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const { "ca.pem": ca, "cert.pem": certificate, "key.pem": key } = certificates
        Docker.writeContext(folder, "keyless", { host: "tcp://h:1", tls: { "ca.pem": ca, "cert.pem": certificate } })
        Docker.writeContext(folder, "bare", { host: "tcp://h:1", tls: { "ca.pem": ca, "key.pem": key } })
        Docker.writeContext(folder, "locked", { host: "tcp://h:1" })
        NodeFs.mkdirSync(NodePath.join(Docker.tlsFolder(folder, "locked"), "key.pem"), { recursive: true })
        assert.include((yield* refused(folder, {}, { context: "keyless" })).message, "There is cert.pem and no key.pem")
        assert.include((yield* refused(folder, {}, { context: "bare" })).message, "There is key.pem and no cert.pem")
        const locked = yield* refused(folder, {}, { context: "locked" })
        assert.include(locked.message, `${Docker.tlsFolder(folder, "locked")}/key.pem can not be read (EISDIR)`)
        assert.strictEqual(locked.origin, 'context "locked" (the given context)')
      })
    )

    it.scoped("are checked before they are used, and no message repeats a key", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const problem = (tls: Readonly<Record<string, string>>) => {
          Docker.writeContext(folder, "prod", { host: "tcp://h:1", tls })
          return Layer.build(DockerEngine.layerFromContext({ context: "prod" })).pipe(
            Effect.flip,
            Effect.map(String),
            within({ HOME: "/nowhere", DOCKER_CONFIG: folder })
          )
        }
        const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFN0v3rb0se\n-----END ENCRYPTED PRIVATE KEY-----\n"
        const legacy =
          "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIFN0v3rb0se\n-----END RSA PRIVATE KEY-----\n"
        for (const key of [encrypted, legacy]) {
          const text = yield* problem({ ...certificates, "key.pem": key })
          assert.include(text, "key.pem) is encrypted")
          assert.include(text, "openssl pkey")
          assert.notInclude(text, "MIIFN0v3rb0se")
        }
        const garbage = yield* problem({ ...certificates, "key.pem": "MIIFN0v3rb0se" })
        assert.include(garbage, "key.pem) is no private key")
        assert.notInclude(garbage, "MIIFN0v3rb0se")
        assert.include(yield* problem({ ...certificates, "ca.pem": "x" }), "ca.pem) is no certificate")
        assert.include(yield* problem({ ...certificates, "cert.pem": "x" }), "cert.pem) is no certificate")
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
        const other = yield* problem({ ...certificates, "key.pem": pkcs8 })
        assert.include(other, "is not that of its certificate")
      })
    )
  })

  describe("a context that can not be used", () => {
    it.scoped("is named with those there are, and with what asked for it", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        Docker.writeContext(folder, "prod", { host: "unix:///p" })
        Docker.writeContext(folder, "build", { host: "unix:///b" })
        Docker.writeMeta(folder, "broken", "{")
        const error = yield* refused(folder, { DOCKER_CONTEXT: "prodd" })
        assert.deepInclude({ ...error }, { origin: "DOCKER_CONTEXT", value: "prodd" })
        assert.include(error.message, "There is no context of this name")
        assert.include(error.message, `those in ${folder} are "default", "build", "prod" (did you mean prod?).`)
        assert.isFalse(error.isRetryable)
        const file = Docker.writeConfig(folder, `{"currentContext":"gone"}`)
        assert.strictEqual((yield* refused(folder)).origin, `currentContext in ${file}`)
        const nowhere = yield* refused("/nowhere/docker", {}, { context: "prod" })
        assert.include(nowhere.message, 'those in /nowhere/docker are "default".')
      })
    )

    it.scoped("may have a name that is none", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        for (const context of ["", "x", "../prod", "a b", "-prod", "prod/x"]) {
          const error = yield* refused(folder, {}, { context })
          assert.include(error.message, "A context's name is two or more letters", context)
        }
      })
    )

    it.scoped("has a file whose keys may be in any case, as Go reads them", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        Docker.writeMeta(
          folder,
          "lower",
          `{"name":"lower","endpoints":{"docker":{"host":"unix:///l","skiptlsverify":true}}}`
        )
        assert.strictEqual((yield* resolve(folder, {}, { context: "lower" })).host, "unix:///l")
        Docker.writeMeta(
          folder,
          "upper",
          `{"NAME":"upper","ENDPOINTS":{"docker":{"HOST":"tcp://u:1","SKIPTLSVERIFY":true}}}`
        )
        const upper = yield* resolve(folder, {}, { context: "upper" })
        assert.deepStrictEqual([upper.host, upper.tls?.skipVerify], ["tcp://u:1", true])
        Docker.writeMeta(folder, "bare", `{"Endpoints":{"docker":{}}}`)
        assert.strictEqual((yield* resolve(folder, {}, { context: "bare" })).host, "unix:///var/run/docker.sock")
      })
    )

    it.scoped("has a file that is wrong, and the message says how", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const files = [
          [`{"Name":"prod",}`, "is not valid JSON"],
          [`[]`, "names no docker endpoint"],
          [`{"Endpoints":{"DOCKER":{"Host":"unix:///x"}}}`, "names no docker endpoint"],
          [`{"Endpoints":{"docker":{"Host":5}}}`, "has a Host that is no text"],
          [`{"Endpoints":{"docker":{"SkipTLSVerify":"yes"}}}`, "has a SkipTLSVerify that is neither"]
        ]
        for (const [text = "", problem = ""] of files) {
          const path = Docker.writeMeta(folder, "prod", text)
          const error = yield* refused(folder, {}, { context: "prod" })
          assert.include(error.message, `${path} ${problem}`)
        }
        Docker.writeMeta(folder, "prod", `{"Endpoints":{"docker":{"Host":"http://h"}}}`)
        const address = yield* refused(folder, {}, { context: "prod", origin: "--context" })
        assert.deepInclude({ ...address }, { origin: 'context "prod" (--context)', value: "http://h" })
      })
    )

    it.scoped("has a file that can not be read", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        const path = Docker.writeMeta(folder, "prod", "{}")
        NodeFs.rmSync(path)
        NodeFs.mkdirSync(path)
        const error = yield* refused(folder, {}, { context: "prod" })
        assert.include(error.message, `${path} can not be read (EISDIR)`)
      })
    )
  })

  describe("a config.json that can not be used", () => {
    it.scoped("fails with the position, and only where its word would count", () =>
      Effect.gen(function* () {
        const folder = yield* Docker.temporaryFolder
        writeWays(folder)
        const path = Docker.writeConfig(folder, `{"currentContext": used}`)
        const error = yield* refused(folder)
        assert.include(error.message, `${path} can not be used. It is not valid JSON (at character 19)`)
        for (const environment of [{ DOCKER_HOST: "unix:///h" }, { DOCKER_CONTEXT: "env" }]) {
          yield* resolve(folder, environment)
        }
        yield* resolve(folder, {}, { context: "chosen" })
        yield* resolve(folder, {}, { host: "unix:///h" })
        Docker.writeConfig(folder, `{"currentContext":["used"]}`)
        assert.include((yield* refused(folder)).message, `"currentContext" must be a string`)
        NodeFs.rmSync(path)
        NodeFs.mkdirSync(path)
        assert.include((yield* refused(folder)).message, "can not be read (EISDIR)")
      })
    )
  })
})
