import { inspect } from "node:util"
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as AzureConnector from "../../src/connector/AzureConnector.ts"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as IdToken from "../../src/connector/IdToken.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type { Credential } from "../../src/credential/Credential.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"
import {
  type Action,
  type Answer,
  entraError,
  fakeAzure,
  identityEndpoint,
  jsonAnswer,
  registryError,
  webToken
} from "../support/fakeAzure.ts"

const host = "acme.azurecr.io"
const username = "00000000-0000-0000-0000-000000000000"
const tenantId = "11111111-1111-1111-1111-111111111111"
const clientId = "22222222-2222-2222-2222-222222222222"
const authority = "login.microsoftonline.com"
const acrAudience = "https://containerregistry.azure.net"

const millis = { token: 1_000_000_000_000, refresh: 2_000_000_000_000 }
const entraToken = webToken({ exp: millis.token / 1000 }, "entra-canary-signature")
const refreshToken = webToken({ exp: millis.refresh / 1000 }, "refresh-canary-signature")
const assertion = webToken({ exp: 1_700_000_000 }, "idtoken-canary-signature")
const secrets = { client: "client~canary+secret", machine: "machine-canary-secret", header: "header-canary" }

const idToken = IdToken.make({ origin: "a test's source", get: () => Effect.succeed(Redacted.make(assertion)) })

interface Row<M = AzureConnector.Method> {
  readonly options: M
  /** What issues the Entra token; nothing when it is given. */
  readonly issuer?: { readonly action: Action; readonly parameters: Readonly<Record<string, string>> }
  /** What the exchange is told of the identity's tenant. */
  readonly tenant?: string
}

/** https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
const ofMachine = { action: "identity", parameters: { resource: acrAudience, "api-version": "2019-08-01" } } as const

/** Every method that there is. */
const rows: {
  readonly [Name in AzureConnector.Method["authMethod"]]: Row<AzureConnector.Method & { authMethod: Name }>
} = {
  "default-chain": { options: { authMethod: "default-chain" }, issuer: ofMachine },
  "managed-identity": { options: { authMethod: "managed-identity" }, issuer: ofMachine },
  "service-principal": {
    options: { authMethod: "service-principal", tenantId, clientId, clientSecret: Redacted.make(secrets.client) },
    issuer: {
      action: "token",
      parameters: { client_id: clientId, client_secret: secrets.client, scope: `${acrAudience}/.default` }
    },
    tenant: tenantId
  },
  "workload-identity": {
    options: { authMethod: "workload-identity", tenantId, clientId, idToken },
    issuer: {
      action: "token",
      parameters: { client_id: clientId, client_assertion: assertion, scope: `${acrAudience}/.default` }
    },
    tenant: tenantId
  },
  "access-token": { options: { authMethod: "access-token", token: Redacted.make(entraToken) } }
}
const everyRow = Object.entries<Row>(rows)
const issuedRows = everyRow.flatMap(([name, row]) =>
  row.issuer === undefined ? [] : [[name, row, row.issuer.action] as const]
)
const applicationRows = issuedRows.filter(([, , action]) => action === "token")
const principal: Row = rows["service-principal"]

/** A fake Azure in which everything goes well, and whose machine has an identity. */
const wellAzure = Effect.tap(fakeAzure, (azure) =>
  Effect.sync(() => {
    azure.answer("token", jsonAnswer({ token_type: "Bearer", expires_in: 3600, access_token: entraToken }))
    // Over already for the SDK, which keeps other tokens of a machine for the whole process.
    azure.answer("identity", jsonAnswer({ token_type: "Bearer", expires_on: "1", access_token: entraToken }))
    azure.answer("exchange", jsonAnswer({ refresh_token: refreshToken }))
  })
)

type Azure = Effect.Effect.Success<typeof wellAzure>

const connect = (azure: Azure, { options }: Row, settings: AzureConnector.Settings = {}) =>
  Effect.provide(AzureConnector.make({ ...options, allowImplicitMethods: true, ...settings }), azure.network)

const issue = (azure: Azure, row: Row, resource = host, settings: AzureConnector.Settings = {}) =>
  Effect.flatMap(connect(azure, row, settings), (connector) => connector.issue(resource))

/** In any form in which a value may be shown. */
const shown = (value: unknown) =>
  [String(value), inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value)].join("\n")

const refusal = (azure: Azure, row: Row, resource = host, settings: AzureConnector.Settings = {}) =>
  Effect.tap(Effect.flip(issue(azure, row, resource, settings)), (error) =>
    Effect.sync(() => {
      assert.instanceOf(error, ConnectorError)
      assert.strictEqual(error.connector, "azure")
      const told = [shown(error), error.message, error.stack, Cause.pretty(Cause.fail(error))].join("\n")
      assert.notInclude(told, "canary")
      for (const token of [entraToken, refreshToken, assertion]) assert.notInclude(told, token)
    })
  )

const refuses = (azure: Azure, row: Row, expected: ConnectorError["reason"], about?: string) =>
  Effect.map(refusal(azure, row), (error) => {
    assert.deepStrictEqual([error.reason, error.resource], [expected, host], about)
    return error
  })

const endOf = ({ expiry }: Credential) => (expiry._tag === "At" ? expiry.at.epochMillis : expiry._tag)

/** Milliseconds, far less than it takes an issue to give up. */
const SOON = 7_000

describe("AzureConnector", () => {
  // The SDK reads the machine's configuration by itself: here it finds this one, and looks at no developer's tool.
  beforeAll(async () => {
    const environment = {
      AZURE_TOKEN_CREDENTIALS: "prod",
      AZURE_TENANT_ID: undefined,
      AZURE_CLIENT_ID: undefined,
      AZURE_CLIENT_SECRET: undefined,
      AZURE_AUTHORITY_HOST: undefined,
      AZURE_FEDERATED_TOKEN_FILE: undefined,
      IDENTITY_ENDPOINT: await identityEndpoint(),
      IDENTITY_HEADER: secrets.header
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  })
  const said = [vi.spyOn(console, "warn"), vi.spyOn(console, "error"), vi.spyOn(console, "log")]
  afterAll(() => {
    vi.unstubAllEnvs()
    for (const spy of said) spy.mockRestore()
  })

  // The first of the process: what the SDK keeps of a machine's identity comes from here.
  it.scoped("spoils no later login by one of the machine that was interrupted", () =>
    Effect.gen(function* () {
      const azure = yield* wellAzure
      const well = jsonAnswer({ token_type: "Bearer", expires_on: "1", access_token: entraToken })
      let release = (_: Answer) => {}
      const late = new Promise<Answer>((resolve) => {
        release = resolve
      })
      azure.answer("identity", () => late)
      const fiber = yield* Effect.fork(issue(azure, rows["managed-identity"]))
      yield* until(() => azure.actions().includes("identity"))
      yield* Fiber.interrupt(fiber)
      release(well)
      azure.answer("identity", well)
      yield* issue(azure, rows["managed-identity"])
      yield* issue(azure, rows["default-chain"])
    })
  )

  describe.each(everyRow)("by %s", (authMethod, row) => {
    it.scoped("exchanges the identity's token at the login server for what that gives", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const connector = yield* connect(azure, row)
        assert.deepStrictEqual([connector.type, connector.authMethod], ["azure", authMethod])
        const credential = yield* connector.issue(host)
        assert.strictEqual(credential.host, host)
        const { kind } = credential
        if (kind._tag !== "UsernamePassword") return assert.fail(kind._tag)
        assert.deepStrictEqual([kind.username, Redacted.value(kind.password)], [username, refreshToken])
        assert.notInclude(shown([connector, credential]), "canary")
        const [exchange, ...before] = [...azure.asked].reverse()
        assert.deepInclude(exchange, { action: "exchange", method: "POST", host, path: "/oauth2/exchange" })
        assert.deepStrictEqual(exchange?.parameters, {
          grant_type: "access_token",
          service: host,
          ...(row.tenant === undefined ? {} : { tenant: row.tenant }),
          access_token: entraToken
        })
        assert.deepStrictEqual(
          before.map(({ action }) => action),
          row.issuer === undefined ? [] : [row.issuer.action]
        )
        if (row.issuer !== undefined) assert.deepInclude(before[0]?.parameters, row.issuer.parameters)
        if (row.issuer?.action === "token") assert.strictEqual(before[0]?.host, authority)
        if (row.issuer?.action === "identity") {
          assert.strictEqual(before[0]?.headers["x-identity-header"], secrets.header)
        }
      })
    )

    it.scoped("gives a login that ends when its refresh token says so, whenever the identity's token ends", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        assert.strictEqual(endOf(yield* issue(azure, row)), millis.refresh)
        azure.answer("exchange", jsonAnswer({ refresh_token: webToken({ exp: 60 }, "canary") }))
        assert.strictEqual(endOf(yield* issue(azure, row)), 60_000)
        azure.answer("exchange", jsonAnswer({ refresh_token: webToken({}, "canary") }))
        assert.strictEqual(endOf(yield* issue(azure, row)), "Unknown")
      })
    )

    it.scoped("says that the registry refuses the identity", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const words = "authentication required, visit https://aka.ms/acr/authorization for more information."
        azure.answer("exchange", registryError("UNAUTHORIZED", words, 401))
        const { message } = yield* refuses(azure, row, "denied")
        for (const part of ["(401)", "aka.ms/acr/authorization", "of another tenant", "AcrPush"]) {
          assert.include(message.replace("answered 401", "(401)"), part)
        }
        azure.answer("exchange", registryError("DENIED", "client with IP '1.2.3.4' is not allowed access", 403))
        assert.include((yield* refuses(azure, row, "denied")).message, "1.2.3.4")
      })
    )

    it.scoped("is unavailable when the registry is down, has a fault or is asked too much", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        for (const status of [500, 503, 429]) {
          azure.answer("exchange", { status, body: "<html>canary</html>" })
          yield* refuses(azure, row, "unavailable", String(status))
        }
        azure.takeDown(host)
        assert.include((yield* refuses(azure, row, "unavailable")).message, "ECONNREFUSED")
      })
    )

    it.scoped("is unavailable when the registry's answer has another form, and repeats none of it", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const bodies = [
          "",
          "canary",
          "[1]",
          "{}",
          `{"refresh_token":`,
          `{"refresh_token":"${refreshToken}`,
          '{"refresh_token":null}',
          '{"refresh_token":""}',
          '{"refresh_token":"canary"}',
          '{"refresh_token":"canary.canary"}',
          `{"access_token":"${refreshToken}"}`
        ]
        for (const body of bodies) {
          azure.answer("exchange", { status: 200, body })
          yield* refuses(azure, row, "unavailable", body)
        }
      })
    )

    it.scoped("refuses a login that was over when it was issued", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        yield* TestClock.setTime(120_000)
        azure.answer("exchange", jsonAnswer({ refresh_token: webToken({ exp: 60 }, "canary") }))
        yield* refuses(azure, row, "expired")
      })
    )

    it.scoped("shows the identity's token to nobody to whom the registry leads", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        for (const status of [302, 307]) {
          azure.answer("exchange", { status, body: "", headers: { location: `${azure.url}/elsewhere` } })
          yield* refuses(azure, row, "misconfigured")
        }
        assert.notInclude(azure.actions(), "other")
      })
    )

    it.scoped(
      "takes its question back when nobody waits for the answer any more",
      () =>
        Effect.gen(function* () {
          const azure = yield* wellAzure
          azure.answer("exchange", "silence")
          const fiber = yield* Effect.fork(issue(azure, row))
          yield* until(() => azure.actions().includes("exchange"))
          yield* Fiber.interrupt(fiber)
          yield* until(() => azure.abandoned() === 1)
        }),
      SOON
    )
  })

  describe.each(issuedRows)("by %s, when what issues its token", (_, row, action) => {
    it.scoped("refuses", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const answers: ReadonlyArray<readonly [Answer, ConnectorError["reason"], string]> = [
          [
            entraError("unauthorized_client", "AADSTS53003: Blocked by Conditional Access.", 403),
            "denied",
            "AADSTS53003"
          ],
          [entraError("invalid_request", "Identity not found"), "misconfigured", "Identity not found"],
          [entraError("access_denied", "the policy says no", 403), "denied", "the policy says no"]
        ]
        for (const [answer, reason, words] of answers) {
          azure.answer(action, answer)
          const { message } = yield* refuses(azure, row, reason, inspect(answer))
          assert.include(message, words)
          assert.notInclude(message, "Trace ID")
        }
        assert.notInclude(azure.actions(), "exchange")
      })
    )

    it.scoped("is well, is asked again for each login", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const connector = yield* connect(azure, row)
        yield* connector.issue(host)
        yield* connector.issue(host)
        assert.deepStrictEqual(azure.actions(), [action, "exchange", action, "exchange"])
      })
    )

    it.scoped("is down, or has a fault", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        azure.answer(action, { status: 500, body: "<html>canary</html>" })
        yield* refuses(azure, row, "unavailable")
        azure.answer(action, entraError("temporarily_unavailable", "AADSTS90033: try again.", 503))
        yield* refuses(azure, row, "unavailable")
        azure.takeDown(action === "identity" ? "the machine" : authority)
        const words = action === "identity" ? "does not answer" : "ECONNREFUSED"
        assert.include((yield* refuses(azure, row, "unavailable")).message, words)
      })
    )

    it.scoped("answers in another form, and repeats none of it", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const bodies = ["canary", "", "[1]", "{}", '{"access_token":', '{"token":"canary"}', '{"expires_in":3600}']
        for (const body of bodies) {
          azure.answer(action, { status: 200, body })
          yield* refuses(azure, row, "unavailable", body)
        }
        assert.notInclude(azure.actions(), "exchange")
      })
    )

    it.scoped("leads elsewhere, is not followed", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        for (const location of [`${azure.url}/elsewhere`, "/elsewhere"]) {
          azure.answer(action, { status: 307, body: "", headers: { location } })
          yield* refusal(azure, row)
        }
        assert.deepStrictEqual(azure.actions(), [action, action])
      })
    )
  })

  describe.each(applicationRows)("by %s, when Entra", (_, row) => {
    it.scoped("refuses in a form of its own", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        azure.answer("token", jsonAnswer({ error: "invalid_client", secret: "canary" }, 401))
        assert.include((yield* refuses(azure, row, "denied")).message, "invalid_client")
        azure.answer("token", jsonAnswer({ secret: "canary" }, 403))
        assert.include((yield* refuses(azure, row, "denied")).message, "answered 403")
      })
    )

    it.scoped(
      "is asked in vain, takes the question back",
      () =>
        Effect.gen(function* () {
          const azure = yield* wellAzure
          azure.answer("token", "silence")
          const fiber = yield* Effect.fork(issue(azure, row))
          yield* until(() => azure.actions().includes("token"))
          yield* Fiber.interrupt(fiber)
          yield* until(() => azure.abandoned() === 1)
        }),
      SOON
    )
  })

  it.scoped("tells what is wrong with an application by Entra's codes, with what to do", () =>
    Effect.gen(function* () {
      const azure = yield* wellAzure
      const codes: ReadonlyArray<readonly [string, ConnectorError["reason"], string]> = [
        [`AADSTS7000215: Invalid client secret '${secrets.client}' provided.`, "misconfigured", "not its id"],
        ["AADSTS7000222: The provided client secret keys are expired.", "expired", "a new secret"],
        ["AADSTS90002: Tenant 'x' not found.", "misconfigured", "tenantId"],
        ["AADSTS900023: Specified tenant identifier is not valid.", "misconfigured", "tenantId"],
        ["AADSTS700016: Application was not found in the directory.", "misconfigured", "clientId"],
        ["AADSTS500011: The resource principal was not found.", "misconfigured", "audience"],
        ["AADSTS70021: No matching federated identity record found.", "denied", "federated credential"],
        ["AADSTS700213: No matching federated identity record found.", "denied", "federated credential"],
        ["AADSTS700024: Client assertion is not within its valid time range.", "expired", "AADSTS700024"]
      ]
      for (const [description, reason, advice] of codes) {
        azure.answer("token", entraError("invalid_client", description, 401))
        const { message } = yield* refuses(azure, principal, reason, description)
        assert.include(message, description.slice(0, description.indexOf(":")))
        assert.include(message, advice)
      }
    })
  )

  describe("an identity of the machine", () => {
    const implicit: ReadonlyArray<AzureConnector.Method> = [
      { authMethod: "default-chain" },
      { authMethod: "managed-identity" },
      { authMethod: "managed-identity", clientId }
    ]
    const making = (options: AzureConnector.Options, variables: Readonly<Record<string, string>> = {}) =>
      Effect.flatMap(wellAzure, ({ network }) =>
        Effect.provide(Effect.either(AzureConnector.make(options)), network)
      ).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))

    it.scoped("is not used unless it is switched on, by the options or by the variable", () =>
      Effect.gen(function* () {
        const on = { GANTRY_ENABLE_IMPLICIT_AUTH_METHODS: "true" }
        for (const method of implicit) {
          const refused = yield* Effect.flip(Effect.flatten(making(method)))
          assert.strictEqual(refused.reason, "misconfigured")
          assert.include(refused.message, "allowImplicitMethods")
          assert.isTrue(Either.isRight(yield* making(method, on)))
          assert.isTrue(Either.isLeft(yield* making({ ...method, allowImplicitMethods: false }, on)))
        }
        for (const { options } of [principal, rows["workload-identity"], rows["access-token"]]) {
          assert.isTrue(Either.isRight(yield* making(options)))
        }
      })
    )

    it.scoped("is the one that a user assigned when it is named, else the system's", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        yield* issue(azure, rows["managed-identity"])
        yield* issue(azure, { options: { authMethod: "managed-identity", clientId } })
        assert.deepStrictEqual(
          azure.asked.flatMap(({ action, parameters }) => (action === "identity" ? [parameters["client_id"]] : [])),
          [undefined, clientId]
        )
      })
    )

    it.scoped("is misconfigured when there is none, and says where it was looked for", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
        const { message } = yield* refuses(azure, rows["default-chain"], "misconfigured")
        assert.include(message, "EnvironmentCredential is unavailable")
        assert.isEmpty(azure.asked)
      }).pipe(Effect.ensuring(Effect.sync(() => vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "prod"))))
    )

    it.scoped("is told from the chain's words when Entra refuses one of the environment", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        azure.answer("token", entraError("invalid_client", "AADSTS7000222: The client secret is expired.", 401))
        const environment = {
          AZURE_TENANT_ID: tenantId,
          AZURE_CLIENT_ID: clientId,
          AZURE_CLIENT_SECRET: secrets.machine,
          AZURE_AUTHORITY_HOST: (yield* azure.tls).url,
          // For the SDK's own network, which knows no other way to trust a certificate of the test.
          NODE_TLS_REJECT_UNAUTHORIZED: "0"
        }
        for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
        const settings = { endpoints: { authority: environment.AZURE_AUTHORITY_HOST } }
        const error = yield* refusal(azure, rows["default-chain"], host, settings)
        assert.strictEqual(error.reason, "expired")
        assert.include(error.message, "AADSTS7000222: The client secret is expired; give the application a new secret")
        azure.answer("token", jsonAnswer({ token_type: "Bearer", expires_in: 3600, access_token: entraToken }))
        yield* issue(azure, rows["default-chain"], host, settings)
        assert.deepInclude(azure.asked.at(-1)?.parameters, { access_token: entraToken })
        for (const name of Object.keys(environment)) vi.stubEnv(name, undefined)
      })
    )
  })

  describe("an id token", () => {
    it.scoped("is asked for in the name of the registry's cloud", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const audiences: Array<string> = []
        const source = IdToken.make({
          origin: "a test's source",
          get: ({ audience }) =>
            Effect.sync(() => {
              audiences.push(audience)
              return Redacted.make(assertion)
            })
        })
        const row: Row = { options: { authMethod: "workload-identity", tenantId, clientId, idToken: source } }
        for (const resource of [host, "acme.azurecr.us", "acme.azurecr.cn"]) yield* issue(azure, row, resource)
        assert.deepStrictEqual(audiences, [
          "api://AzureADTokenExchange",
          "api://AzureADTokenExchangeUSGov",
          "api://AzureADTokenExchangeChina"
        ])
      })
    )

    it.scoped("that is not to be had is why nothing is asked", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const options = { ...rows["workload-identity"].options, idToken: IdToken.environment("NO_TOKEN") }
        const error = yield* refusal(azure, { options })
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "NO_TOKEN")
        assert.isEmpty(azure.asked)
      })
    )
  })

  describe("a given token", () => {
    it.scoped("that is over is said to be, without asking anybody", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        yield* TestClock.setTime(millis.token + 1)
        const { message } = yield* refuses(azure, rows["access-token"], "expired")
        assert.include(message, "2001-09-09T01:46:40.000Z")
        assert.isEmpty(azure.asked)
      })
    )

    it.scoped("may have a line break at its end, and none within", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const withToken = (token: string): Row => ({
          options: { authMethod: "access-token", token: Redacted.make(token) }
        })
        yield* issue(azure, withToken(`${entraToken}\n`))
        assert.strictEqual(azure.asked[0]?.parameters["access_token"], entraToken)
        for (const token of ["", " ", `canary\n${entraToken}`]) {
          yield* refuses(azure, withToken(token), "misconfigured")
        }
        assert.strictEqual(azure.asked.length, 1)
      })
    )
  })

  describe("clouds", () => {
    const asked = (azure: Azure, action: Action) =>
      azure.asked.flatMap((question) => (question.action === action ? [question] : []))

    it.scoped("have login services and audiences of their own", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const clouds = [
          [host, authority, acrAudience],
          ["acme.azurecr.cn", "login.partner.microsoftonline.cn", "https://management.chinacloudapi.cn"],
          ["acme.azurecr.us", "login.microsoftonline.us", "https://management.usgovcloudapi.net"],
          ["acme.azurecr.de", "login.microsoftonline.de", "https://management.microsoftazure.de"]
        ] as const
        for (const [resource] of clouds) yield* issue(azure, principal, resource)
        assert.deepStrictEqual(
          asked(azure, "token").map(({ host, path, parameters }) => [host, path, parameters["scope"]]),
          clouds.map(([, login, audience]) => [login, `/${tenantId}/oauth2/v2.0/token`, `${audience}/.default`])
        )
        assert.deepStrictEqual(
          asked(azure, "exchange").map(({ host, parameters }) => [host, parameters["service"]]),
          clouds.map(([resource]) => [resource, resource])
        )
      })
    )

    it.scoped("give way to an audience and to addresses that are set", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        const settings: AzureConnector.Settings = {
          audience: "https://management.azure.com/",
          endpoints: { authority: "https://login.example.com/", registry: azure.url }
        }
        yield* issue(azure, principal, "acme.azurecr.us", settings)
        const [token, exchange] = [asked(azure, "token")[0], asked(azure, "exchange")[0]]
        assert.deepInclude(token, { host: "login.example.com", path: `/${tenantId}/oauth2/v2.0/token` })
        assert.strictEqual(token?.parameters["scope"], "https://management.azure.com/.default")
        assert.deepInclude(exchange, { host: new URL(azure.url).host, path: "/oauth2/exchange" })
        assert.strictEqual(exchange?.parameters["service"], "acme.azurecr.us")
        assert.notInclude(azure.actions(), "other")
      })
    )

    it.scoped("obey the SDK's variable for the login service of the public one", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        vi.stubEnv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")
        yield* issue(azure, principal)
        assert.strictEqual(asked(azure, "token")[0]?.host, "login.microsoftonline.us")
      }).pipe(Effect.ensuring(Effect.sync(() => vi.stubEnv("AZURE_AUTHORITY_HOST", undefined))))
    )

    it.scoped("are not asked by way of an address that is none, or would show a secret", () =>
      Effect.gen(function* () {
        const azure = yield* wellAzure
        for (const address of ["nonsense", "http://login.example.com", "https://a:canary@login.example.com"]) {
          for (const endpoints of [{ authority: address }, { registry: address }]) {
            const error = yield* Effect.flip(connect(azure, principal, { endpoints }))
            assert.strictEqual(error.reason, "misconfigured")
            assert.include(error.message, Object.keys(endpoints)[0] ?? "")
            assert.notInclude(shown(error), "canary")
          }
        }
        // The SDK speaks to a login service over TLS only.
        const error = yield* refusal(azure, principal, host, { endpoints: { authority: azure.url } })
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, "https")
        assert.isEmpty(azure.asked)
      })
    )
  })

  it.scoped("lists no registries, and says that it would take another right", () =>
    Effect.gen(function* () {
      const azure = yield* wellAzure
      const error = yield* Effect.flip(Effect.flatMap(connect(azure, principal), ({ resources }) => resources))
      assert.strictEqual(error.reason, "unsupported")
      assert.include(error.message, "subscription")
      assert.isEmpty(azure.asked)
    })
  )

  it.scoped("keeps every secret out of spans", () =>
    Effect.gen(function* () {
      const azure = yield* wellAzure
      const seen: Array<unknown> = []
      const span: Tracer.Tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => ({
          _tag: "Span",
          name,
          spanId: name,
          traceId: "test",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes: new Map(),
          links: [...links],
          sampled: true,
          kind,
          end: (_, exit) => void (Exit.isFailure(exit) && seen.push(Cause.pretty(exit.cause))),
          attribute: (key, value) => void seen.push([name, key, value]),
          event: (event, _, attributes) => void seen.push([event, attributes]),
          addLinks: () => {}
        }),
        context: (run) => run()
      })
      for (const [, row] of everyRow) yield* Effect.withTracer(issue(azure, row), span)
      azure.answer("token", ({ parameters: { client_assertion, client_secret } }) =>
        entraError("invalid_client", `AADSTS7000215: ${client_secret ?? client_assertion} is wrong`, 401)
      )
      azure.answer("exchange", registryError("UNAUTHORIZED", `${entraToken} is wrong`, 401))
      for (const [, row] of everyRow) yield* Effect.withTracer(refusal(azure, row), span)
      const written = inspect(seen, { depth: 9, maxArrayLength: null, maxStringLength: null })
      assert.include(written, "/oauth2/exchange")
      assert.include(written, "AADSTS7000215")
      assert.notInclude(written, "canary")
    })
  )

  describe("resourceId", () => {
    const idOf = (text: string) => Option.getOrUndefined(Either.getRight(AzureConnector.resourceId(text)))
    const armId = (name: string) =>
      `/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-1_(x).y/providers/Microsoft.ContainerRegistry/registries/${name}`

    it("gives the login server, as it was written, in lower case", () => {
      const known = [
        [host, host],
        [`https://${host}`, host],
        [`https://${host}/team/app`, host],
        ["Acme.AzureCR.io", host],
        ["acme", host],
        ["Acme", host],
        [armId("Acme"), host],
        [armId("acme").toLowerCase(), host],
        [`${armId("acme")}/`, host],
        ["acme-dnlhash123.azurecr.io", "acme-dnlhash123.azurecr.io"],
        ["acme.westeurope.geo.azurecr.io/team/app", "acme.westeurope.geo.azurecr.io"],
        ["acme-dnlhash123.westeurope.geo.azurecr.io", "acme-dnlhash123.westeurope.geo.azurecr.io"],
        ["acme.azurecr.cn", "acme.azurecr.cn"],
        ["acme.azurecr.us/x", "acme.azurecr.us"],
        ["acme.azurecr.de", "acme.azurecr.de"]
      ] as const
      for (const [text, id] of known) {
        assert.strictEqual(idOf(text), id, text)
        assert.isTrue(RegistryFlavor.azure.matchesHost(id), id)
      }
    })

    it("refuses what is not Azure's, with the forms that are and without a password", () => {
      const foreign = [
        "evil-azurecr.io",
        "azurecr.io",
        ".azurecr.io",
        "evilazurecr.io",
        "acme.azurecr.io.evil.com",
        "evil.com/acme.azurecr.io",
        "https://evil.com#acme.azurecr.io",
        "https://evil.com?acme.azurecr.io",
        `https://ci:hunter2@${host}`,
        `${host}:5000`,
        "acme.evil.azurecr.io",
        "acme.azurecr.com",
        "acme_1",
        "acme-1",
        "/acme",
        armId("acme").replace("ContainerRegistry", "Web"),
        `${armId("acme")}/replications/x`,
        armId("evil.com/"),
        armId(""),
        `/subscriptions/x${armId("acme")}`,
        "docker.io",
        ""
      ]
      for (const text of foreign) {
        const { message } = Either.getOrThrow(Either.flip(AzureConnector.resourceId(text)))
        assert.include(message, "<name>.azurecr.io")
        assert.notInclude(message, "hunter2")
      }
    })

    it("gives an id that is its own id and Azure's, or refuses, and never throws", () => {
      const pieces = ["acme", "-", ".", "azurecr.io", ".geo", "westeurope", "https://", "@", "#", "/", "evil", "\n"]
      const text = FastCheck.oneof(
        registryUriText,
        FastCheck.string({ unit: "binary" }),
        FastCheck.array(FastCheck.constantFrom(...pieces, "/subscriptions/", "registries/", armId("acme")), {
          maxLength: 9
        }).map((parts) => parts.join(""))
      )
      FastCheck.assert(
        FastCheck.property(text, (written) => {
          const id = idOf(written)
          return id === undefined || (idOf(id) === id && RegistryFlavor.azure.matchesHost(id))
        })
      )
    })

    it("takes steps linear in the length of a hostile id", () => {
      for (const [name, text] of Object.entries(hostileTexts)) {
        for (const write of [(long: string) => long, armId, (long: string) => `/subscriptions/${long}`]) {
          assert.isBelow(
            countSteps(() => AzureConnector.resourceId(write(text(100_000)))),
            4_000_000,
            name
          )
        }
      }
    })
  })

  it.scoped("takes its options from the configuration", () =>
    Effect.gen(function* () {
      const azure = yield* wellAzure
      const layer = AzureConnector.layerConfig({
        authMethod: Config.succeed("service-principal"),
        tenantId: Config.string("TENANT"),
        clientId: Config.string("CLIENT"),
        clientSecret: Config.redacted("SECRET")
      })
      const variables = new Map(Object.entries({ TENANT: tenantId, CLIENT: "configured", SECRET: secrets.client }))
      const built = Layer.build(Layer.provide(layer, azure.network)).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(variables))
      )
      const connector = Context.get(yield* built, ServiceConnector.ServiceConnector)
      assert.strictEqual((yield* connector.issue(host)).host, host)
      assert.strictEqual(azure.asked[0]?.parameters["client_id"], "configured")
    })
  )

  it("leaves the console to the application, whatever the SDK has to say", () => {
    for (const spy of said) assert.deepStrictEqual(spy.mock.calls, [])
  })
})

/** Lets the event loop run until something has happened; the test's time limit is the end of the wait. */
const until = (happened: () => boolean): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const look = () => (happened() ? resume(Effect.void) : void setImmediate(look))
    look()
  })
