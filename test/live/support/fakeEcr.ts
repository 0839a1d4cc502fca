/**
 * ECR's API as far as `docker-credential-ecr-login` needs it: behind a CONNECT proxy on loopback, with a certificate of
 * its own (reference/auth.md section 11b).
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import { type AddressInfo, connect, type Server } from "node:net"
import { join } from "node:path"
import * as Effect from "effect/Effect"

const listening = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

const makeCertificate = (folder: string, name: string) => {
  const [key, certificate] = [join(folder, "ecr.key"), join(folder, "ecr.crt")]
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`]
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, ...subject],
    { stdio: "ignore" }
  )
  return { key, certificate }
}

export const fakeEcr = Effect.fnUntraced(function* (options: {
  /** Where its certificate goes. */
  readonly folder: string
  /** The registry that it gives a token for. */
  readonly host: string
  readonly username: string
  readonly password: string
}) {
  const [account = "", , , region = ""] = options.host.split(".")
  const { certificate, key } = makeCertificate(options.folder, `api.ecr.${region}.amazonaws.com`)
  const authorizationToken = Buffer.from(`${options.username}:${options.password}`).toString("base64")
  const api = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const known = request.headers["x-amz-target"] === "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
    response.writeHead(known ? 200 : 400, { "content-type": "application/x-amz-json-1.1" })
    const expiresAt = Math.floor(Date.now() / 1000) + 12 * 3600
    const proxyEndpoint = `https://${account}.dkr.ecr.${region}.amazonaws.com`
    response.end(JSON.stringify({ authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint }] }))
  })
  const apiPort = yield* listening(api)
  const proxy = http.createServer()
  proxy.on("connect", (_, client, head) => {
    const server = connect(apiPort, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n")
      server.write(head)
      server.pipe(client).pipe(server)
    })
    server.on("error", () => client.destroy())
    client.on("error", () => server.destroy())
  })
  const proxyPort = yield* listening(proxy)
  return { certificate, proxy: `http://127.0.0.1:${proxyPort}` }
})
