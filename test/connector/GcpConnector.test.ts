import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as GcpConnector from "../../src/connector/GcpConnector.ts"
import * as IdToken from "../../src/connector/IdToken.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type { Credential } from "../../src/credential/Credential.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"
import * as FakeGoogle from "./support/fakeGoogle.ts"
import { type Answer, nobody, silence } from "./support/loopback.ts"

const NOON = Date.UTC(2026, 0, 2, 12)
const HOUR = 3_600_000

const registry = "europe-west3-docker.pkg.dev/lab/images"
const host = "europe-west3-docker.pkg.dev"
const provider = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github"
const target = "deploy@lab.iam.gserviceaccount.com"

const tokenOf = (action: FakeGoogle.Action) => `ya29.canary-${action}`
const claims = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const webToken = `${claims({ alg: "RS256" })}.${claims({ exp: 1_700_000_000 })}.idtoken-canary-signature`
const idToken = IdToken.make({ origin: "a test's source", get: () => Effect.succeed(Redacted.make(webToken)) })

const folder = mkdtempSync(join(tmpdir(), "gantry-google-"))

/** The environment in which Google's library looks for an identity: there is none but what a test puts there. */
const nothing = {
  GOOGLE_APPLICATION_CREDENTIALS: undefined,
  CLOUDSDK_CONFIG: folder,
  GCE_METADATA_HOST: undefined,
  METADATA_SERVER_DETECTION: "none"
}

const setEnvironment = (environment: Readonly<Record<string, string | undefined>>) => {
  for (const [name, value] of Object.entries({ ...nothing, ...environment })) vi.stubEnv(name, value)
}

/** A file that Google's library reads by itself: a token in a file, exchanged at the fake. */
const externalAccount = (tokenUrl: string) => {
  const token = join(folder, "token")
  writeFileSync(token, webToken)
  return JSON.stringify({
    type: "external_account",
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: tokenUrl,
    credential_source: { file: token }
  })
}

const credentialFile = (text: string) => {
  const file = join(folder, "credentials.json")
  writeFileSync(file, text)
  return { GOOGLE_APPLICATION_CREDENTIALS: file }
}

type Place = Pick<FakeGoogle.Google, "endpoints" | "host" | "tokenUri">

interface Row<M = GcpConnector.Method> {
  readonly method: (google: Place) => M
  readonly environment?: (google: Place) => Readonly<Record<string, string>>
  readonly actions: ReadonlyArray<FakeGoogle.Action>
}

const serviceAccount = ({ tokenUri }: Place): GcpConnector.ServiceAccount => ({
  authMethod: "service-account",
  key: Redacted.make(FakeGoogle.keyFile(tokenUri))
})
const federation = (): GcpConnector.WorkloadIdentity => ({
  authMethod: "workload-identity",
  workloadIdentityProvider: provider,
  idToken
})
const byDefault = (): GcpConnector.DefaultCredentials => ({ authMethod: "default-credentials" })

const rows = {
  "service-account": { method: serviceAccount, actions: ["jwt-bearer"] },
  "workload-identity": { method: federation, actions: ["token-exchange"] },
  "workload-identity, as a service account": {
    method: () => ({ ...federation(), serviceAccount: target }),
    actions: ["token-exchange", "generateAccessToken"]
  },
  impersonation: {
    method: (google) => ({ authMethod: "impersonation", source: serviceAccount(google), serviceAccount: target }),
    actions: ["jwt-bearer", "generateAccessToken"]
  },
  "default-credentials, of the metadata server": {
    method: byDefault,
    environment: ({ host }) => ({ METADATA_SERVER_DETECTION: "assume-present", GCE_METADATA_HOST: host }),
    actions: ["metadata"]
  },
  "default-credentials, of a file": {
    method: byDefault,
    environment: ({ endpoints }) => credentialFile(externalAccount(`${endpoints.sts}/v1/token`)),
    actions: ["token-exchange"]
  }
} satisfies Readonly<Record<string, Row>>
const everyRow: ReadonlyArray<readonly [string, Row]> = Object.entries(rows)
const given: GcpConnector.AccessToken = { authMethod: "access-token", token: Redacted.make("ya29.canary-given") }

/** A fake Google at noon by every clock, in which everything goes well. */
const atNoon = Effect.fnUntraced(function* (options: Partial<FakeGoogle.Options> = {}) {
  yield* TestClock.setTime(NOON)
  return yield* FakeGoogle.make({ token: tokenOf, now: () => NOON, ...options })
})

const connect = (options: GcpConnector.Options) =>
  GcpConnector.make({ allowImplicitMethods: true, ...options }).pipe(Effect.provide(FetchHttpClient.layer))

const issue = (google: Place, row: Row, resource = registry, settings: GcpConnector.Settings = {}) =>
  Effect.suspend(() => {
    setEnvironment(row.environment?.(google) ?? {})
    const options = { ...row.method(google), endpoints: google.endpoints, ...settings }
    return Effect.flatMap(connect(options), (connector) => connector.issue(resource))
  })

const assertHides = (error: unknown) => {
  assert.instanceOf(error, ConnectorError)
  assert.strictEqual(error.connector, "gcp")
  const shown = [
    String(error),
    error.message,
    error.stack,
    inspect(error, { depth: 9, showHidden: true }),
    JSON.stringify(error),
    Cause.pretty(Cause.fail(error))
  ].join("\n")
  assert.notInclude(shown, "canary")
  assert.notInclude(shown, webToken)
  for (const line of FakeGoogle.privateKeyPem.split("\n")) if (line.length > 40) assert.notInclude(shown, line)
}

const refusal = (...parameters: Parameters<typeof issue>) =>
  Effect.tap(Effect.flip(issue(...parameters)), (error) => Effect.sync(() => assertHides(error)))

const loginOf = ({ host, kind }: Credential) =>
  kind._tag === "UsernamePassword" ? [host, kind.username, Redacted.value(kind.password)] : []

const endOf = ({ expiry }: Credential) => (expiry._tag === "At" ? expiry.at.epochMillis : expiry._tag)

const lastOf = ({ actions }: Row) => actions.at(-1) ?? "jwt-bearer"

describe("GcpConnector", () => {
  // Google's library has a clock of its own.
  beforeAll(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON }))
  const said = vi.spyOn(console, "warn")
  afterAll(() => {
    vi.useRealTimers()
    vi.unstubAllEnvs()
    said.mockRestore()
    rmSync(folder, { recursive: true, force: true })
  })

  describe.each(everyRow)("by %s", (name, row) => {
    it.scoped("gives the token that Google issues, as the user whom its registries know", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const credential = yield* issue(google, row)
        assert.deepStrictEqual(loginOf(credential), [host, "oauth2accesstoken", tokenOf(lastOf(row))])
        assert.deepStrictEqual(google.actions(), [...row.actions])
        const connector = yield* connect(row.method(google))
        assert.deepStrictEqual([connector.type, connector.authMethod], ["gcp", name.split(",")[0]])
        assert.notInclude(inspect([connector, credential], { depth: 9, showHidden: true }), "canary")
      })
    )

    it.scoped("gives a login that ends when Google says that it ends", () =>
      Effect.gen(function* () {
        const google = yield* atNoon({ lifetime: () => 1800 })
        const credential = yield* issue(google, row)
        assert.strictEqual(endOf(credential), NOON + 1_800_000)
        assert.strictEqual(credential.expiry._tag === "At" && credential.expiry.issuedAt.epochMillis, NOON)
      })
    )

    it.scoped("gives nothing that is over already", () =>
      Effect.gen(function* () {
        const google = yield* atNoon({ lifetime: () => -1 })
        assert.strictEqual((yield* refusal(google, row)).reason, "expired")
      })
    )

    it.scoped("is denied when Google refuses, in Google's words", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        for (const answer of [
          FakeGoogle.apiError(
            "PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource",
            403
          ),
          FakeGoogle.oauthError("invalid_grant", "Invalid JWT Signature."),
          FakeGoogle.oauthError("unauthorized_client", "The given credential is rejected by the attribute condition.")
        ]) {
          google.answer(lastOf(row), answer)
          const error = yield* refusal(google, row)
          assert.deepStrictEqual([error.reason, error.resource, error.isRetryable], ["denied", registry, false])
          assert.match(error.message, /PERMISSION_DENIED|invalid_grant: Invalid JWT|unauthorized_client: The given/)
        }
      })
    )

    it.scoped("tells what is over, and what is misconfigured, from what is denied", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const answers: ReadonlyArray<readonly [Answer, string]> = [
          [FakeGoogle.oauthError("invalid_grant", "ID Token issued at 1 is stale to sign-in."), "expired"],
          [FakeGoogle.oauthError("invalid_grant", "Token has been expired or revoked."), "expired"],
          [
            FakeGoogle.oauthError("invalid_target", "The target service indicated by the audience is invalid."),
            "misconfigured"
          ],
          [FakeGoogle.oauthError("invalid_scope", "no such scope"), "misconfigured"],
          [FakeGoogle.apiError("INVALID_ARGUMENT", "Request contains an invalid argument.", 400), "misconfigured"],
          [FakeGoogle.apiError("NOT_FOUND", "Not found; Gaia id not found", 404), "misconfigured"],
          [FakeGoogle.apiError("UNAUTHENTICATED", "Request had invalid authentication credentials.", 401), "denied"],
          [FakeGoogle.apiError("PERMISSION_DENIED", "The key has expired", 403), "denied"]
        ]
        for (const [answer, reason] of answers) {
          google.answer(lastOf(row), answer)
          assert.strictEqual((yield* refusal(google, row)).reason, reason, inspect(answer))
        }
      })
    )

    it.scoped("is unavailable when the answer has another form, and repeats none of it", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const bodies: ReadonlyArray<unknown> = [
          "<html>canary</html>",
          "canary",
          "",
          "[1]",
          "null",
          '"canary"',
          {},
          { access_token: "", accessToken: "" },
          {
            access_token: "canary\r\nx: y",
            accessToken: "canary\r\nx: y",
            expires_in: 60,
            expireTime: "2027-01-01T00:00:00Z"
          },
          { access_token: { canary: 1 }, accessToken: ["canary"], expires_in: 60, expireTime: "2027-01-01T00:00:00Z" }
        ]
        for (const body of bodies) {
          google.answer(lastOf(row), { status: 200, body })
          const error = yield* refusal(google, row)
          assert.deepStrictEqual([error.reason, error.resource], ["unavailable", registry], inspect(body))
        }
      })
    )
  })

  /** Without Google's library, which tries again by itself and takes its time for it. */
  describe.each(everyRow.slice(0, 4))("by %s", (_, row) => {
    it.scoped("is unavailable when the service has a fault, wants it slower, or nobody listens", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        for (const status of [500, 503, 429, 408]) {
          google.answer(lastOf(row), FakeGoogle.apiError("UNAVAILABLE", "later", status))
          const error = yield* refusal(google, row)
          assert.deepStrictEqual([error.reason, error.isRetryable], ["unavailable", true], String(status))
        }
        const nowhere = `http://${yield* nobody}`
        const places = {
          host: "",
          tokenUri: nowhere,
          endpoints: { sts: nowhere, iamCredentials: nowhere, artifactRegistry: nowhere }
        }
        const error = yield* refusal(places, row)
        assert.strictEqual(error.reason, "unavailable")
        assert.include(error.message, "ECONNREFUSED")
      })
    )

    it.scoped("is unavailable when the service does not answer", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const asked = yield* Deferred.make<void>()
        google.answer(lastOf(row), () => {
          Deferred.unsafeDone(asked, Effect.void)
          return silence
        })
        const fiber = yield* Effect.fork(refusal(google, row))
        yield* Deferred.await(asked)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "unavailable")
      })
    )

    it.scoped("takes its question back when nobody waits for the answer any more", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const asked = yield* Deferred.make<void>()
        google.answer(lastOf(row), () => {
          Deferred.unsafeDone(asked, Effect.void)
          return silence
        })
        const fiber = yield* Effect.fork(issue(google, row))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        yield* until(() => google.abandoned() === 1)
      })
    )

    it.scoped("repeats nothing of what it showed to a service that repeats it", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        google.answer(lastOf(row), ({ body, headers }) => {
          const shown = `${headers.authorization?.split(" ")[1]} ${decodeURIComponent(body)}`
          return FakeGoogle.oauthError("invalid_grant", shown)
        })
        const error = yield* refusal(google, row)
        assert.notMatch(error.message, /eyJ|ya29/)
      })
    )

    it.scoped("takes a refusal for a wrong clock when Google's differs by more than a minute", () =>
      Effect.gen(function* () {
        const google = yield* atNoon({ now: () => NOON - HOUR })
        google.answer(lastOf(row), FakeGoogle.oauthError("invalid_grant", "Invalid JWT Signature."))
        const error = yield* refusal(google, row)
        assert.strictEqual(error.reason, "expired")
        if (row.actions.length === 1) assert.include(error.message, "this machine's clock is 1h ahead")
      })
    )
  })

  describe("service-account", () => {
    const row: Row = rows["service-account"]
    const keyed = (key: string): Row => ({
      ...row,
      method: () => ({ authMethod: "service-account", key: Redacted.make(key) })
    })

    it.scoped("asserts its name to the key's own token_uri, for an hour that began a minute ago", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        yield* issue(google, row)
        const [asked] = google.asked("jwt-bearer")
        assert.isDefined(asked)
        const seconds = NOON / 1000
        assert.deepStrictEqual(FakeGoogle.assertionOf(asked), {
          header: { alg: "RS256", typ: "JWT", kid: "key-1" },
          claims: {
            iss: FakeGoogle.email,
            scope: "https://www.googleapis.com/auth/cloud-platform",
            aud: google.tokenUri,
            iat: seconds - 60,
            exp: seconds + 3540
          }
        })
        assert.strictEqual(FakeGoogle.formOf(asked)["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer")
      })
    )

    it.scoped("is denied with another account's key", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        const private_key = other.export({ type: "pkcs1", format: "pem" }).toString()
        const error = yield* refusal(google, keyed(FakeGoogle.keyFile(google.tokenUri, { private_key })))
        assert.strictEqual(error.reason, "denied")
        assert.include(error.message, "Invalid JWT Signature")
        assert.include(error.message, FakeGoogle.email)
      })
    )

    it.scoped("refuses what is no key, and one that would be shown to everybody, and shows none of it", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
        const wrong = [
          "",
          "canary",
          FakeGoogle.privateKeyPem,
          '{"type":"authorized_user","refresh_token":"canary"}',
          FakeGoogle.keyFile(google.tokenUri, { client_email: undefined }),
          FakeGoogle.keyFile(google.tokenUri, { private_key: "canary" }),
          FakeGoogle.keyFile(google.tokenUri, { private_key: pem }),
          FakeGoogle.keyFile("http://oauth2.example.com/token"),
          FakeGoogle.keyFile("https://ci:canary@oauth2.example.com/token"),
          FakeGoogle.keyFile("canary")
        ]
        for (const key of wrong) {
          const error = yield* refusal(google, keyed(key))
          assert.strictEqual(error.reason, "misconfigured")
        }
        assert.isEmpty(google.requests)
      })
    )

    it.scoped("takes a token of which Google does not say when it ends for one whose end is unknown", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        for (const expires_in of [undefined, 1e300]) {
          google.answer("jwt-bearer", { status: 200, body: { access_token: "ya29.x", expires_in } })
          assert.strictEqual(endOf(yield* issue(google, row)), "Unknown")
        }
        google.answer("jwt-bearer", { status: 200, body: { access_token: "ya29.x", expires_in: "canary" } })
        assert.strictEqual((yield* refusal(google, row)).reason, "unavailable")
      })
    )
  })

  describe("workload-identity and impersonation", () => {
    it.scoped("ask for what Google's own library asks for", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        yield* issue(google, rows["default-credentials, of a file"])
        yield* issue(google, rows["workload-identity, as a service account"])
        const [library, own] = google.asked("token-exchange")
        assert.isDefined(library)
        assert.isDefined(own)
        assert.deepStrictEqual(FakeGoogle.formOf(own), FakeGoogle.formOf(library))
        assert.strictEqual(FakeGoogle.formOf(own)["subject_token"], webToken)

        const account = JSON.parse(externalAccount(`${google.endpoints.sts}/v1/token`))
        const service_account_impersonation_url = `${google.endpoints.iamCredentials}/v1/projects/-/serviceAccounts/${target}:generateAccessToken`
        yield* issue(google, {
          ...rows["default-credentials, of a file"],
          environment: () => credentialFile(JSON.stringify({ ...account, service_account_impersonation_url }))
        })
        const [ours, theirs] = google.asked("generateAccessToken")
        assert.deepStrictEqual([ours?.method, ours?.path], [theirs?.method, theirs?.path])
        assert.strictEqual(ours?.headers.authorization, theirs?.headers.authorization)
        assert.deepStrictEqual(JSON.parse(ours?.body ?? "").scope, JSON.parse(theirs?.body ?? "").scope)
      })
    )

    it.scoped("ask the id token's source for a token that is for the provider", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const asked: Array<IdToken.Asker> = []
        const source = IdToken.make({
          origin: "a test's source",
          get: (asker) => {
            asked.push(asker)
            return Effect.succeed(Redacted.make(webToken))
          }
        })
        for (const prefix of ["", "//iam.googleapis.com/", "https://iam.googleapis.com/"]) {
          const method = { ...federation(), workloadIdentityProvider: `${prefix}${provider}`, idToken: source }
          yield* issue(google, { ...rows["workload-identity"], method: () => method })
        }
        assert.deepStrictEqual(
          asked,
          asked.map(() => ({ connector: "gcp", audience: `https://iam.googleapis.com/${provider}` }))
        )
        assert.deepStrictEqual(
          google.asked("token-exchange").map((asked) => FakeGoogle.formOf(asked)["audience"]),
          [1, 2, 3].map(() => `//iam.googleapis.com/${provider}`)
        )
      })
    )

    it.scoped("ask for the account, through its delegates, for as long as wanted", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const options = { delegates: ["via@lab.iam.gserviceaccount.com"], lifetime: "15 minutes" } as const
        const method: GcpConnector.Impersonation = {
          authMethod: "impersonation",
          source: { authMethod: "impersonation", source: given, serviceAccount: FakeGoogle.email },
          serviceAccount: target,
          ...options
        }
        yield* issue(google, { ...rows.impersonation, method: () => method })
        const [first, second] = google.asked("generateAccessToken")
        assert.strictEqual(first?.path, `/v1/projects/-/serviceAccounts/${FakeGoogle.email}:generateAccessToken`)
        assert.deepStrictEqual(JSON.parse(first?.body ?? ""), {
          scope: ["https://www.googleapis.com/auth/cloud-platform"],
          delegates: []
        })
        assert.strictEqual(first?.headers.authorization, "Bearer ya29.canary-given")
        assert.strictEqual(second?.headers.authorization, `Bearer ${tokenOf("generateAccessToken")}`)
        assert.deepInclude(JSON.parse(second?.body ?? ""), {
          delegates: ["projects/-/serviceAccounts/via@lab.iam.gserviceaccount.com"],
          lifetime: "900s"
        })
      })
    )

    it.scoped("refuse names that can not be Google's before anybody is asked", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const wrong: ReadonlyArray<GcpConnector.Method> = [
          {
            ...federation(),
            workloadIdentityProvider: "projects/lab/locations/global/workloadIdentityPools/ci/providers/github"
          },
          { ...federation(), workloadIdentityProvider: `${provider}/` },
          { ...federation(), workloadIdentityProvider: `https://evil.com/${provider}` },
          { ...federation(), serviceAccount: "deploy" },
          { authMethod: "impersonation", source: given, serviceAccount: "a@lab/../b@lab" },
          { authMethod: "impersonation", source: given, serviceAccount: target, delegates: ["x y@lab"] }
        ]
        for (const method of wrong) {
          const error = yield* refusal(google, { ...rows.impersonation, method: () => method })
          assert.strictEqual(error.reason, "misconfigured", inspect(method))
        }
        assert.isEmpty(google.requests)
      })
    )

    it.scoped("give nothing when the identity behind them is refused", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        google.answer("jwt-bearer", FakeGoogle.oauthError("invalid_grant", "Invalid grant: account not found"))
        assert.strictEqual((yield* refusal(google, rows.impersonation)).reason, "denied")
        assert.notInclude(google.actions(), "generateAccessToken")
      })
    )
  })

  describe("default-credentials", () => {
    const row = rows["default-credentials, of the metadata server"]
    const files = rows["default-credentials, of a file"]

    it.scoped("takes nothing from the machine until it is allowed to, for itself or as a source", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        setEnvironment(row.environment(google))
        const methods: ReadonlyArray<GcpConnector.Method> = [
          byDefault(),
          { authMethod: "impersonation", source: byDefault(), serviceAccount: target }
        ]
        for (const method of methods) {
          const error = yield* Effect.flip(connect({ ...method, allowImplicitMethods: undefined }))
          assert.strictEqual(error.reason, "misconfigured")
          assert.include(error.message, "allowImplicitMethods")
        }
        const switchedOn = ConfigProvider.fromMap(new Map([["GANTRY_ENABLE_IMPLICIT_AUTH_METHODS", "true"]]))
        yield* Effect.withConfigProvider(connect({ ...byDefault(), allowImplicitMethods: undefined }), switchedOn)
        assert.isEmpty(google.requests)
      })
    )

    it.scoped("asks the metadata server for the scope of everything, anew for each login", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        yield* issue(google, row)
        yield* issue(google, row)
        const asked = google.asked("metadata")
        assert.lengthOf(asked, 2)
        assert.include(
          decodeURIComponent(asked[0]?.path ?? ""),
          "scopes=https://www.googleapis.com/auth/cloud-platform"
        )
      })
    )

    it.scoped("is misconfigured where the machine has no identity, or a file that is none", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const nowhere = yield* refusal(google, { ...row, environment: () => ({}) })
        assert.strictEqual(nowhere.reason, "misconfigured")
        assert.include(nowhere.message, "Could not load the default credentials")
        const unreadable = [
          { GOOGLE_APPLICATION_CREDENTIALS: join(folder, "absent.json") },
          credentialFile('{"type":"authorized_user","client_id":"x"}')
        ]
        for (const environment of unreadable) {
          const error = yield* refusal(google, { ...row, environment: () => environment })
          assert.strictEqual(error.reason, "misconfigured", inspect(environment))
        }
        for (const text of [
          "canary",
          '{"canary": ',
          "[]",
          FakeGoogle.privateKeyPem,
          FakeGoogle.keyFile("x", { private_key: "canary" })
        ]) {
          const error = yield* refusal(google, { ...row, environment: () => credentialFile(text) })
          assert.strictEqual(error.reason, "misconfigured", text)
        }
      })
    )

    it.scoped("is unavailable when who was asked is no metadata server, has a fault, or does not listen", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        const well = { access_token: "ya29.canary", expires_in: 3600 }
        google.answer("metadata", { status: 200, headers: { "metadata-flavor": "Evil" }, body: well })
        assert.strictEqual((yield* refusal(google, row)).reason, "unavailable")
        google.answer("token-exchange", FakeGoogle.apiError("UNAVAILABLE", "later", 501))
        assert.strictEqual((yield* refusal(google, files)).reason, "unavailable")
        const nowhere = yield* nobody
        const error = yield* refusal({ ...google, host: nowhere }, row)
        assert.strictEqual(error.reason, "unavailable")
        assert.include(error.message, "ECONNREFUSED")
      })
    )
  })

  describe("access-token", () => {
    it.scoped("gives the token, good until its end or looked at again after a while", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(NOON)
        const login = yield* Effect.flatMap(connect(given), ({ issue }) => issue(registry))
        assert.deepStrictEqual(loginOf(login), [host, "oauth2accesstoken", "ya29.canary-given"])
        assert.strictEqual(endOf(login), "Unknown")
        const until = (millis: number) =>
          Effect.flatMap(connect({ ...given, expiresAt: DateTime.unsafeMake(millis) }), ({ issue }) => issue(registry))
        assert.strictEqual(endOf(yield* until(NOON + HOUR)), NOON + HOUR)
        const over = yield* Effect.flip(until(NOON - HOUR))
        assert.strictEqual(over.reason, "expired")
        assertHides(over)
      })
    )

    it.scoped("refuses a token that can not be one", () =>
      Effect.gen(function* () {
        for (const token of ["", "canary\n", "a canary"]) {
          const connector = yield* connect({ authMethod: "access-token", token: Redacted.make(token) })
          const error = yield* Effect.flip(connector.issue(registry))
          assert.strictEqual(error.reason, "misconfigured")
          assertHides(error)
        }
      })
    )
  })

  it.scoped("refuses endpoints that it would reach in the clear", () =>
    Effect.gen(function* () {
      for (const name of ["sts", "iamCredentials", "artifactRegistry"]) {
        for (const address of [
          "http://sts.example.com",
          "sts.example.com",
          "https://u:canary@sts.example.com",
          "https://x?canary"
        ]) {
          const error = yield* Effect.flip(connect({ ...given, endpoints: { [name]: address } }))
          assert.strictEqual(error.reason, "misconfigured")
          assert.include(error.message, name)
          assertHides(error)
        }
      }
    })
  )

  describe("registries", () => {
    const serves = (resource: string, settings: GcpConnector.Settings) =>
      Effect.flatMap(connect({ ...given, ...settings }), ({ issue }) => issue(resource))

    it.scoped("of another project are refused by a connector for one, in both products", () =>
      Effect.gen(function* () {
        for (const resource of ["europe-docker.pkg.dev/other/images", "eu.gcr.io/other", "gcr.io/example.com/lab"]) {
          const error = yield* Effect.flip(serves(resource, { project: "lab" }))
          assert.deepStrictEqual([error.reason, error.resource], ["misconfigured", resource])
          assert.include(error.message, "`project` is lab")
        }
        for (const resource of ["gcr.io/lab", registry, "eu.gcr.io"]) yield* serves(resource, { project: "lab" })
        yield* serves("gcr.io/example.com/lab", { project: "example.com:lab" })
        yield* serves("gcr.io/other", {})
      })
    )

    it.scoped("of one's own host are served in place of Google's, and nobody else is told the token", () =>
      Effect.gen(function* () {
        const settings = { host: "Images.Example.com", project: "lab" }
        assert.strictEqual((yield* serves("images.example.com/team", settings)).host, "images.example.com")
        for (const resource of [registry, "images.example.com.evil.com", "evil.com/images.example.com"]) {
          assert.strictEqual((yield* Effect.flip(serves(resource, settings))).reason, "misconfigured", resource)
        }
        assert.strictEqual(
          (yield* Effect.flip(serves("x", { host: "images.example.com/team" }))).reason,
          "misconfigured"
        )
      })
    )

    const place = { project: "lab", location: "europe-west3" }
    const lists = (google: FakeGoogle.Google, settings: GcpConnector.Settings = place) =>
      Effect.flatMap(connect({ ...given, endpoints: google.endpoints, ...settings }), ({ resources }) => resources)
    const named = (name: string, format = "DOCKER") => ({
      name: `projects/lab/locations/europe-west3/repositories/${name}`,
      format
    })

    it.scoped("are listed for a project and location, page by page, those for images alone", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        google.answer("repositories", ({ path }) => ({
          status: 200,
          body: path.includes("pageToken=more")
            ? { repositories: [named("last"), named("gcr.io")], nextPageToken: "" }
            : { repositories: [named("first"), named("wheels", "PYTHON")], nextPageToken: "more" }
        }))
        assert.deepStrictEqual(yield* lists(google), [`${host}/lab/first`, `${host}/lab/last`, `${host}/lab/gcr.io`])
        assert.deepStrictEqual(
          google.requests.map(({ headers }) => headers.authorization),
          ["Bearer ya29.canary-given", "Bearer ya29.canary-given"]
        )
        google.answer("repositories", { status: 200, body: {} })
        assert.deepStrictEqual(yield* lists(google, { ...place, project: "example.com:lab" }), [])
        assert.include(
          decodeURIComponent(google.requests.at(-1)?.path ?? ""),
          "/v1/projects/example.com:lab/locations/"
        )
      })
    )

    it.scoped("are not listed without a project and a location, nor for a host of one's own, and why", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        for (const settings of [
          {},
          { project: "lab" },
          { location: "europe" },
          { ...place, host: "images.example.com" }
        ]) {
          const error = yield* Effect.flip(lists(google, settings))
          assert.strictEqual(error.reason, "unsupported")
          assert.match(error.message, /set `project` and `location`|serves images.example.com alone/)
        }
        assert.isEmpty(google.requests)
      })
    )

    it.scoped("are not listed when Google refuses, or answers in another form", () =>
      Effect.gen(function* () {
        const google = yield* atNoon()
        google.answer("repositories", FakeGoogle.apiError("PERMISSION_DENIED", "Permission denied on resource"))
        const denied = yield* Effect.flip(lists(google))
        assert.strictEqual(denied.reason, "denied")
        assert.include(denied.message, "roles/artifactregistry.reader")
        for (const body of [
          "canary",
          { repositories: "canary" },
          { repositories: [{ name: 1 }] },
          { repositories: [{ name: "canary!", format: "DOCKER" }] }
        ]) {
          google.answer("repositories", { status: 200, body })
          const error = yield* Effect.flip(lists(google))
          assert.strictEqual(error.reason, "unavailable")
          assertHides(error)
        }
      })
    )
  })

  describe("resourceId", () => {
    const idOf = (text: string) => Option.getOrUndefined(Either.getRight(GcpConnector.resourceId(text)))

    it("gives host, project and repository, of Artifact Registry and of Container Registry", () => {
      const known = [
        [registry, registry],
        [`https://${registry}/team/app`, registry],
        [`HTTPS://EUROPE-WEST3-docker.pkg.dev/lab/images/`, registry],
        ["projects/lab/locations/europe-west3/repositories/images", registry],
        ["projects/lab/locations/europe-west3/repositories/images/packages/app", registry],
        ["us-docker.pkg.dev/lab/images.v2", "us-docker.pkg.dev/lab/images.v2"],
        ["northamerica-northeast1-docker.pkg.dev/lab", "northamerica-northeast1-docker.pkg.dev/lab"],
        ["europe-docker.pkg.dev", "europe-docker.pkg.dev"],
        ["gcr.io/lab", "gcr.io/lab"],
        ["https://gcr.io/lab/app", "gcr.io/lab"],
        ["https://eu.gcr.io/p/x", "eu.gcr.io/p"],
        ["gcr.io/p///", "gcr.io/p"],
        ["asia.gcr.io/lab/team/app", "asia.gcr.io/lab"],
        ["gcr.io/example.com:lab/app", "gcr.io/example.com/lab"],
        ["gcr.io/example.com/lab/app", "gcr.io/example.com/lab"],
        ["gcr.io/example.com", "gcr.io/example.com"],
        [`https://${host}/example.com:lab/images/app`, `${host}/example.com/lab/images`],
        [`${host}/example.com/lab/images/app`, `${host}/example.com/lab/images`],
        ["projects/example.com:lab/locations/europe-west3/repositories/images", `${host}/example.com/lab/images`]
      ] as const
      for (const [text, id] of known) assert.strictEqual(idOf(text), id, text)
    })

    it("refuses what is not Google's, and plain HTTP, with the forms that are and without a password", () => {
      const foreign = [
        `http://${registry}`,
        "HTTP://gcr.io/lab",
        "evilgcr.io/p",
        "gcrXio/p",
        "gcr.io.evil.com/p",
        "a.b.gcr.io/p",
        "evil.com/gcr.io/p",
        "docker.pkg.dev/lab/images",
        "europe-docker.pkg.dev.evil.com/lab/images",
        "europe-docker-pkg.dev/lab/images",
        `https://ci:hunter2@${registry}`,
        "https://evil.com#gcr.io/p",
        "gcr.io:444/p",
        "gcr.io/lab:x",
        "gcr.io/example.com:lab:x",
        "gcr.io/UPPER",
        "projects/lab/locations/evil.com/repositories/x",
        "projects/lab/locations//repositories/x",
        "projects/lab/locations/europe/repositories",
        "projects/lab/locations/europe/repositories/",
        "docker.io",
        "lab",
        ""
      ]
      for (const text of foreign) {
        const { message } = Either.getOrThrow(Either.flip(GcpConnector.resourceId(text)))
        assert.include(message, "LOCATION-docker.pkg.dev/PROJECT/REPOSITORY", text)
        assert.notInclude(message, "hunter2")
      }
    })

    it("gives an id that is its own id and Google's, or refuses, and never throws", () => {
      const pieces = ["projects", "locations", "repositories", "europe-west3", "-docker.pkg.dev", "gcr.io", "eu.", "/"]
      const text = FastCheck.oneof(
        registryUriText,
        FastCheck.string({ unit: "binary" }),
        FastCheck.array(
          FastCheck.constantFrom(...pieces, "/", "lab", "example.com", ":", "http://", "https://", "\n", "evil"),
          { maxLength: 12 }
        ).map((parts) => parts.join(""))
      )
      FastCheck.assert(
        FastCheck.property(text, (written) => {
          const id = idOf(written)
          return id === undefined || (idOf(id) === id && RegistryFlavor.gcp.matchesHost(id.split("/")[0] ?? ""))
        }),
        { numRuns: 1000 }
      )
    })

    it("takes steps linear in the length of a hostile id", () => {
      const wraps = [
        (text: string) => text,
        (text: string) => `gcr.io/${text}`,
        (text: string) => `gcr.io/example.com:${text}`,
        (text: string) => `projects/${text}/locations/europe/repositories/${text}`
      ]
      for (const [name, text] of Object.entries(hostileTexts)) {
        for (const wrap of wraps) {
          const long = wrap(text(100_000))
          assert.isBelow(
            countSteps(() => GcpConnector.resourceId(long)),
            4_000_000,
            name
          )
        }
      }
    })
  })

  it.scoped("is a layer, from options and from the configuration", () =>
    Effect.gen(function* () {
      const google = yield* atNoon()
      const issued = Effect.flatMap(ServiceConnector.ServiceConnector, ({ issue }) => issue(registry))
      const layers = [
        GcpConnector.layer(serviceAccount(google)),
        GcpConnector.layerConfig({ authMethod: Config.succeed("service-account"), key: Config.redacted("KEY") })
      ]
      for (const layer of layers) {
        const login = yield* Effect.provide(issued, Layer.provide(layer, FetchHttpClient.layer)).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["KEY", FakeGoogle.keyFile(google.tokenUri)]])))
        )
        assert.deepStrictEqual(loginOf(login), [host, "oauth2accesstoken", tokenOf("jwt-bearer")])
      }
    })
  )

  it("leaves the console to the application", () => {
    assert.deepStrictEqual(said.mock.calls, [])
  })
})

/** Lets the event loop run until something has happened; the test's time limit is the end of the wait. */
const until = (happened: () => boolean): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const look = () => (happened() ? resume(Effect.void) : void setImmediate(look))
    look()
  })
