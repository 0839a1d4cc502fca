import * as Fs from "node:fs"
import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import * as NodeNet from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import type { TLSSocket } from "node:tls"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import { makeNodeHttp } from "../../src/distribution/internal/nodeHttp.ts"
import { proxyFor } from "../../src/distribution/internal/proxySettings.ts"
import type { RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import { RegistryHttp, type RegistryRequest } from "../../src/distribution/RegistryHttp.ts"
import { bytes, rawServer, recordingServer } from "./support.ts"

const get = (url: string, more: Partial<RegistryRequest> = {}): RegistryRequest => ({
  registry: "registry.test",
  method: "GET",
  url: new URL(url),
  headers: {},
  authorization: undefined,
  body: undefined,
  verifyCertificate: true,
  maximumBody: 1024 * 1024,
  ...more
})

const request = (url: string, more: Partial<RegistryRequest> = {}) =>
  Effect.flatMap(RegistryHttp, (http) => http.request(get(url, more)))

const text = (body: Uint8Array) => new TextDecoder().decode(body)

const failure = (url: string, more: Partial<RegistryRequest> = {}): Effect.Effect<RegistryUnavailable> =>
  Effect.flip(request(url, more)).pipe(Effect.orDieWith(() => "there was an answer"))

describe("RegistryHttp by default", () => {
  it.scoped("gives status, every value of every header, and the body", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer((_, response) => {
        response.statusCode = 401
        response.setHeader("www-authenticate", [`Basic realm="a"`, `Bearer realm="b"`])
        response.end("no")
      })
      const { body, headers, status, truncated } = yield* request(`http://${server.host}/v2/`)
      assert.strictEqual(status, 401)
      assert.deepStrictEqual(headers["www-authenticate"], [`Basic realm="a"`, `Bearer realm="b"`])
      assert.strictEqual(text(body), "no")
      assert.isFalse(truncated)
    })
  )

  it.scoped("sends method, headers, authorization and a body of known length", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer((_, response) => response.end())
      yield* request(`http://${server.host}/v2/x`, {
        method: "PUT",
        headers: { "content-type": "text/plain" },
        authorization: Redacted.make("Bearer abc"),
        body: Redacted.make(bytes("hello"))
      })
      const [received] = server.requests
      assert.strictEqual(received?.method, "PUT")
      assert.strictEqual(received?.headers["content-type"], "text/plain")
      assert.strictEqual(received?.headers.authorization, "Bearer abc")
      assert.strictEqual(received?.headers["content-length"], "5")
      assert.strictEqual(received?.headers["transfer-encoding"], undefined)
    })
  )

  it.scoped("follows no redirect", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer((_, response) => {
        response.writeHead(307, { location: "/elsewhere" }).end()
      })
      assert.strictEqual((yield* request(`http://${server.host}/v2/`)).status, 307)
      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scoped("cuts a body at the limit of the request, and a refusal at 64 KiB", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer(({ path }, response) => {
        response.writeHead(path === "/refused" ? 400 : 200)
        response.end(Buffer.alloc(10 * 1024 * 1024))
      })
      const whole = yield* request(`http://${server.host}/`, { maximumBody: 10 * 1024 * 1024 })
      const cut = yield* request(`http://${server.host}/`, { maximumBody: 1000 })
      const refused = yield* request(`http://${server.host}/refused`)
      assert.deepStrictEqual([whole.body.length, whole.truncated], [10 * 1024 * 1024, false])
      assert.deepStrictEqual([cut.body.length, cut.truncated], [1000, true])
      assert.deepStrictEqual([refused.body.length, refused.truncated], [64 * 1024, true])
    })
  )

  it.scoped("uses a connection again, also after an answer without a body", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer((_, response) => response.setHeader("content-length", 0).end())
      yield* request(`http://${server.host}/`, { method: "HEAD" })
      yield* request(`http://${server.host}/`)
      assert.isTrue(server.requests[0]?.socket === server.requests[1]?.socket)
    })
  )

  it.scoped("asks again when the server closed an idle connection in that very moment, but posts only once", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer(({ socket }, response, count) => {
        if (count % 2 === 0) socket.destroy()
        else response.end()
      })
      yield* request(`http://${server.host}/`)
      assert.strictEqual((yield* request(`http://${server.host}/`)).status, 200)
      assert.strictEqual(server.requests.length, 3)
      assert.strictEqual((yield* failure(`http://${server.host}/`, { method: "POST" })).reason, "reset")
      assert.strictEqual(server.requests.length, 4)
    })
  )

  it.scoped("closes the connection when it is interrupted", () =>
    Effect.gen(function* () {
      const runSync = Runtime.runSync(yield* Effect.runtime())
      const arrived = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const server = yield* recordingServer(({ socket }) => {
        socket.on("close", () => runSync(Deferred.succeed(closed, undefined)))
        runSync(Deferred.succeed(arrived, undefined))
      })
      const waiting = yield* Effect.fork(request(`http://${server.host}/`))
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(waiting)
      yield* Deferred.await(closed)
    })
  )
})

describe("RegistryHttp says why there is no answer", () => {
  it.scoped("nothing listens", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => {})
      yield* server.close
      const error = yield* failure(`http://${server.host}/v2/?sig=secret`)
      assert.strictEqual(error.reason, "refused")
      assert.strictEqual(error.registry, "registry.test")
      assert.include(error.message, server.host)
    })
  )

  it.scoped("the connection breaks, before the answer and within it", () =>
    Effect.gen(function* () {
      const before = yield* rawServer((socket) => socket.on("data", () => socket.destroy()))
      const within = yield* rawServer((socket) =>
        socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
      )
      assert.strictEqual((yield* failure(`http://${before.host}/`)).reason, "reset")
      assert.strictEqual((yield* failure(`http://${within.host}/`)).reason, "reset")
    })
  )

  it.scoped("the name does not resolve", () =>
    Effect.map(failure("https://registry.invalid/"), ({ reason }) => assert.strictEqual(reason, "dns"))
  )

  it.scoped("it speaks plain HTTP where TLS was expected", () =>
    Effect.gen(function* () {
      const server = yield* recordingServer((_, response) => response.end())
      const error = yield* failure(`https://${server.host}/`)
      assert.strictEqual(error.reason, "plain-http")
      assert.include(error.message, "--plain-http")
    })
  )

  it.scoped("it does not speak HTTP", () =>
    Effect.gen(function* () {
      const server = yield* rawServer((socket) => socket.on("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n")))
      assert.strictEqual((yield* failure(`http://${server.host}/`)).reason, "protocol")
    })
  )

  it.scoped("its headers have no end: 10 MB of WWW-Authenticate", () =>
    Effect.gen(function* () {
      let sent = 0
      const server = yield* rawServer((socket) => {
        socket.on("data", () => {
          socket.write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=")
          const more = () => {
            while (sent < 10 * 1024 * 1024 && !socket.destroyed) {
              sent += 64 * 1024
              if (!socket.write("x".repeat(64 * 1024))) return
            }
          }
          socket.on("drain", more)
          more()
        })
      })
      assert.strictEqual((yield* failure(`http://${server.host}/v2/`)).reason, "protocol")
      assert.isBelow(sent, 10 * 1024 * 1024)
    })
  )
})

const fixtures = fileURLToPath(new URL("../fixtures/tls", import.meta.url))
const fixture = (name: string) => Fs.readFileSync(Path.join(fixtures, name), "utf8")

const tlsServer = (options: NodeHttps.ServerOptions) =>
  recordingServer(
    ({ socket }, response) => response.end((socket as TLSSocket).getPeerCertificate().subject?.CN ?? "nobody"),
    NodeHttps.createServer(options)
  )

const server = { cert: fixture("server.crt"), key: fixture("server.key") }

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "gantry-certs-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)

/** A door whose `certs.d` holds these files for one host. */
const doorWith = (host: string, files: Readonly<Record<string, string>>) =>
  Effect.map(temporaryFolder, (folder) => {
    Fs.mkdirSync(Path.join(folder, host), { recursive: true })
    for (const [name, content] of Object.entries(files)) Fs.writeFileSync(Path.join(folder, host, name), content)
    return { http: makeNodeHttp(Effect.succeed([folder])), folder: Path.join(folder, host) }
  })

describe("RegistryHttp with TLS", () => {
  it.scoped("trusts nobody that no list names", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      const error = yield* failure(`https://${host}/`)
      assert.strictEqual(error.reason, "certificate")
      assert.isFalse(error.isRetryable)
    })
  )

  it.scoped("takes any certificate when it was told to, for that request only", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      assert.strictEqual((yield* request(`https://${host}/`, { verifyCertificate: false })).status, 200)
      assert.strictEqual((yield* failure(`https://${host}/`)).reason, "certificate")
    })
  )

  it.scoped("trusts the authorities of the host's folder in certs.d", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      const { http } = yield* doorWith(host, { "ca.crt": fixture("ca.crt") })
      assert.strictEqual(text((yield* http.request(get(`https://${host}/`))).body), "nobody")
    })
  )

  it.scoped("does not let one host's folder count for another", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      const { http } = yield* doorWith("127.0.0.1:1", { "ca.crt": fixture("ca.crt") })
      assert.strictEqual((yield* Effect.flip(http.request(get(`https://${host}/`)))).reason, "certificate")
    })
  )

  it.scoped("refuses a trusted certificate of another name", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer({ cert: fixture("other.crt"), key: fixture("other.key") })
      const { http } = yield* doorWith(host, { "ca.crt": fixture("ca.crt") })
      const error = yield* Effect.flip(http.request(get(`https://${host}/`)))
      assert.strictEqual(error.reason, "certificate")
      assert.include(error.message, "does not match certificate's altnames")
    })
  )

  it.scoped("shows the client certificate of the host's folder", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer({ ...server, ca: fixture("ca.crt"), requestCert: true })
      const { http } = yield* doorWith(host, {
        "ca.crt": fixture("ca.crt"),
        "me.cert": fixture("client.crt"),
        "me.key": fixture("client.key")
      })
      assert.strictEqual(text((yield* http.request(get(`https://${host}/`))).body), "client")
    })
  )

  it.scoped("says that a server wants a client certificate", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer({
        ...server,
        ca: fixture("ca.crt"),
        requestCert: true,
        rejectUnauthorized: true
      })
      const { http } = yield* doorWith(host, { "ca.crt": fixture("ca.crt") })
      assert.strictEqual((yield* Effect.flip(http.request(get(`https://${host}/`)))).reason, "certificate")
    })
  )

  it.scoped("names a certificate without its key, and a file that holds none", () =>
    Effect.gen(function* () {
      const { host, requests } = yield* tlsServer(server)
      const alone = yield* doorWith(host, { "me.cert": fixture("client.crt") })
      const aloneError = yield* Effect.flip(alone.http.request(get(`https://${host}/`)))
      assert.include(aloneError.message, `${alone.folder}/me needs both a .cert and a .key file`)
      const garbage = yield* doorWith(host, { "me.cert": "garbage", "me.key": "garbage" })
      const garbageError = yield* Effect.flip(garbage.http.request(get(`https://${host}/`)))
      assert.strictEqual(garbageError.reason, "certificate")
      assert.include(garbageError.message, host)
      assert.strictEqual(requests.length, 0)
    })
  )

  it.scoped("reads the folder again after five minutes", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      const { folder, http } = yield* doorWith(host, {})
      const ask = Effect.either(http.request(get(`https://${host}/`)))
      assert.strictEqual((yield* ask)._tag, "Left")
      Fs.writeFileSync(Path.join(folder, "ca.crt"), fixture("ca.crt"))
      assert.strictEqual((yield* ask)._tag, "Left")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* ask)._tag, "Right")
    })
  )

  for (const name of ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
    it.scoped(`trusts the authorities of ${name}`, () =>
      Effect.gen(function* () {
        const { host } = yield* tlsServer(server)
        const http = makeNodeHttp()
        assert.strictEqual((yield* http.request(get(`https://${host}/`))).status, 200)
      }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([[name, Path.join(fixtures, "ca.crt")]]))))
    )
  }

  it.scoped("looks for certs.d in the user's configuration too, where a rootless engine has it", () =>
    Effect.gen(function* () {
      const { host } = yield* tlsServer(server)
      const home = yield* temporaryFolder
      const folder = Path.join(home, ".config", "docker", "certs.d", host)
      Fs.mkdirSync(folder, { recursive: true })
      Fs.writeFileSync(Path.join(folder, "ca.crt"), fixture("ca.crt"))
      const ask = makeNodeHttp().request(get(`https://${host}/`))
      const environment = ConfigProvider.fromMap(new Map([["HOME", home]]))
      assert.strictEqual((yield* Effect.withConfigProvider(ask, environment)).status, 200)
    })
  )
})

/** A proxy that leads every tunnel to `port` of this machine, and remembers what it was asked. */
const proxyTo = (port: number, status = "200 Connection established") =>
  Effect.gen(function* () {
    const tunnels: Array<readonly [target: string, authorization: string | undefined]> = []
    const server = NodeHttp.createServer()
    server.on("connect", (incoming: NodeHttp.IncomingMessage, client: NodeNet.Socket) => {
      tunnels.push([incoming.url ?? "", incoming.headers["proxy-authorization"]])
      client.on("error", () => {})
      const upstream = NodeNet.connect(port, "127.0.0.1", () => {
        client.write(`HTTP/1.1 ${status}\r\n\r\n`)
        upstream.pipe(client)
        client.pipe(upstream)
      })
      client.on("close", () => upstream.destroy())
    })
    const recorded = yield* recordingServer((_, response) => response.end("forwarded"), server)
    return { ...recorded, tunnels }
  })

const withEnvironment = (environment: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))

describe("RegistryHttp through a proxy", () => {
  const authority = { SSL_CERT_FILE: Path.join(fixtures, "ca.crt") }

  it.scoped("speaks TLS with the registry itself, and shows the proxy its own password only", () =>
    Effect.gen(function* () {
      const registry = yield* tlsServer(server)
      const proxy = yield* proxyTo(registry.port)
      const ask = makeNodeHttp().request(
        get("https://registry.test/v2/", { authorization: Redacted.make("Basic secret") })
      )
      const answer = yield* ask.pipe(withEnvironment({ ...authority, HTTPS_PROXY: `http://me:p%40ss@${proxy.host}` }))
      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(proxy.tunnels, [
        ["registry.test:443", `Basic ${Buffer.from("me:p@ss").toString("base64")}`]
      ])
      assert.strictEqual(registry.requests[0]?.headers.authorization, "Basic secret")
      assert.strictEqual(registry.requests[0]?.headers["proxy-authorization"], undefined)
    })
  )

  it.scoped("checks the registry's certificate there too", () =>
    Effect.gen(function* () {
      const registry = yield* tlsServer(server)
      const proxy = yield* proxyTo(registry.port)
      const ask = Effect.flip(makeNodeHttp().request(get("https://elsewhere.example/")))
      const error = yield* ask.pipe(withEnvironment({ ...authority, HTTPS_PROXY: proxy.host }))
      assert.strictEqual(error.reason, "certificate")
    })
  )

  it.scoped("has a plain request forwarded", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(0)
      const ask = makeNodeHttp().request(get("http://registry.test:5000/v2/?n=1"))
      const answer = yield* ask.pipe(withEnvironment({ http_proxy: `http://${proxy.host}` }))
      assert.strictEqual(text(answer.body), "forwarded")
      assert.strictEqual(proxy.requests[0]?.path, "http://registry.test:5000/v2/?n=1")
      assert.strictEqual(proxy.requests[0]?.headers.host, "registry.test:5000")
    })
  )

  it.scoped("never for this machine", () =>
    Effect.gen(function* () {
      const registry = yield* recordingServer((_, response) => response.end("direct"))
      const ask = makeNodeHttp().request(get(`http://${registry.host}/`))
      const answer = yield* ask.pipe(withEnvironment({ HTTP_PROXY: "http://127.0.0.1:1" }))
      assert.strictEqual(text(answer.body), "direct")
    })
  )

  const failures: ReadonlyArray<readonly [what: string, proxy: string, url: string, text: string]> = [
    ["that is not there", "http://127.0.0.1:1", "https://registry.test/", "ECONNREFUSED"],
    ["that is not there for a plain request", "http://127.0.0.1:1", "http://registry.test/", "ECONNREFUSED"],
    ["whose setting is no URL", "http://me:secret@:x", "https://registry.test/", "HTTPS_PROXY"],
    ["of another kind", "socks5://me:secret@127.0.0.1:1", "https://registry.test/", "HTTPS_PROXY"],
    ["of HTTPS for a plain request", "https://me:secret@127.0.0.1:1", "http://registry.test/", "plain HTTP"]
  ]
  for (const [what, proxy, url, expected] of failures) {
    it.scoped(`says that a proxy fails ${what}`, () =>
      Effect.gen(function* () {
        const ask = Effect.flip(makeNodeHttp().request(get(url)))
        const error = yield* ask.pipe(withEnvironment({ HTTPS_PROXY: proxy, HTTP_PROXY: proxy }))
        assert.strictEqual(error.reason, "proxy")
        assert.include(error.message, expected)
        assert.notInclude(String(error), "secret")
      })
    )
  }

  it.scoped("says that a proxy refuses", () =>
    Effect.gen(function* () {
      const registry = yield* tlsServer(server)
      const proxy = yield* proxyTo(registry.port, "407 Proxy Authentication Required")
      const ask = Effect.flip(makeNodeHttp().request(get("https://registry.test/")))
      const error = yield* ask.pipe(withEnvironment({ HTTPS_PROXY: `http://me:secret@${proxy.host}` }))
      assert.strictEqual(error.reason, "proxy")
      assert.include(error.message, "answered HTTP 407")
      assert.notInclude(String(error), "secret")
    })
  )

  // As https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config describes NO_PROXY.
  const exclusions: ReadonlyArray<readonly [noProxy: string, url: string, isProxied: boolean]> = [
    ["", "https://registry.test/", true],
    ["*", "https://registry.test/", false],
    ["other.test, registry.test", "https://registry.test/", false],
    ["REGISTRY.TEST", "https://registry.test/", false],
    ["test", "https://registry.test/", false],
    [".test", "https://registry.test/", false],
    ["registry.test", "https://eu.registry.test/", false],
    [".registry.test", "https://registry.test/", true],
    ["*.registry.test", "https://eu.registry.test/", false],
    ["gistry.test", "https://registry.test/", true],
    ["registry.test:443", "https://registry.test/", false],
    ["registry.test:5000", "https://registry.test/", true],
    ["registry.test:5000", "https://registry.test:5000/", false],
    ["10.0.0.0/8", "https://10.1.2.3/", false],
    ["10.0.0.0/8", "https://11.1.2.3/", true],
    ["10.1.2.3", "https://10.1.2.3/", false],
    ["fd00::/8", "https://[fd00::1]/", false],
    ["fd00::1", "https://[fd00::1]/", false],
    ["10.0.0.0/99,/,:,[", "https://10.1.2.3/", true]
  ]
  for (const [noProxy, url, isProxied] of exclusions) {
    it.effect(`${isProxied ? "is used" : "is not used"} for ${url} with NO_PROXY="${noProxy}"`, () =>
      Effect.map(
        withEnvironment({ HTTPS_PROXY: "http://proxy.test:3128", NO_PROXY: noProxy })(proxyFor(new URL(url))),
        (proxy) => assert.strictEqual(Option.isSome(proxy), isProxied)
      )
    )
  }
})
