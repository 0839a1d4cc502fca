import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as AwsConnector from "../../src/connector/AwsConnector.ts"
import { ConnectorError } from "../../src/connector/ConnectorError.ts"
import * as IdToken from "../../src/connector/IdToken.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import type { Credential } from "../../src/credential/Credential.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { registryUriText } from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"
import { authorizationToken, fakeAws, jsonAnswer, jsonError, roleSession, xmlError } from "../support/fakeAws.ts"

const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
const publicHost = "public.ecr.aws"
const roleArn = "arn:aws:iam::123456789012:role/push"

const password = "ecr-canary-password"
const secrets = {
  keys: "keys-canary-secret",
  profile: "profile-canary-secret",
  machine: "machine-canary-secret",
  session: "session-canary-token",
  role: "role-canary-secret",
  roleToken: "role-canary-token"
}

const claims = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const webToken = `${claims({ alg: "RS256" })}.${claims({ exp: 1_700_000_000 })}.idtoken-canary-signature`

const millis = {
  session: Date.parse("2031-01-01T00:00:00Z"),
  token: Date.parse("2032-01-01T00:00:00Z"),
  late: Date.parse("2033-01-01T00:00:00Z")
}

const keys = { accessKeyId: "AKIAKEYS", secretAccessKey: Redacted.make(secrets.keys) }
const accessKey: AwsConnector.AccessKey = { authMethod: "access-key", ...keys }
const idToken = IdToken.make({ origin: "a test's source", get: () => Effect.succeed(Redacted.make(webToken)) })

interface Row<M = AwsConnector.Method> {
  readonly options: M
  /** Who signs what ECR is asked. */
  readonly signer: string
  /** The action of STS behind it, if there is one. */
  readonly action?: "AssumeRole" | "AssumeRoleWithWebIdentity"
  /** What the session behind it says of its end. */
  readonly session: "Never" | "Unknown" | "At"
}

/** Every method that there is. */
const rows: { readonly [Name in AwsConnector.Method["authMethod"]]: Row<AwsConnector.Method & { authMethod: Name }> } =
  {
    "default-chain": { options: { authMethod: "default-chain" }, signer: "AKIAMACHINE", session: "Unknown" },
    profile: { options: { authMethod: "profile", profile: "team" }, signer: "AKIAPROFILE", session: "Never" },
    "access-key": { options: accessKey, signer: "AKIAKEYS", session: "Never" },
    "session-token": {
      options: {
        ...keys,
        authMethod: "session-token",
        sessionToken: Redacted.make(secrets.session),
        expiresAt: DateTime.unsafeMake(millis.session)
      },
      signer: "AKIAKEYS",
      session: "At"
    },
    "assume-role": {
      options: { authMethod: "assume-role", roleArn, source: accessKey },
      signer: "ASIAROLE",
      action: "AssumeRole",
      session: "At"
    },
    "web-identity": {
      options: { authMethod: "web-identity", roleArn, idToken },
      signer: "ASIAROLE",
      action: "AssumeRoleWithWebIdentity",
      session: "At"
    }
  }
const everyRow = Object.entries(rows)
const roleRows = [
  ["assume-role", "AssumeRole", rows["assume-role"]],
  ["web-identity", "AssumeRoleWithWebIdentity", rows["web-identity"]]
] as const

const token = (expiresAt: number | undefined = millis.token) => ({
  authorizationToken: authorizationToken(password),
  expiresAt: expiresAt / 1000,
  proxyEndpoint: `https://${host}`
})

/** A fake AWS in which everything goes well. */
const wellAws = Effect.tap(fakeAws, (aws) =>
  Effect.sync(() => {
    const session = {
      secretAccessKey: secrets.role,
      sessionToken: secrets.roleToken,
      expiration: "2031-01-01T00:00:00Z"
    }
    aws.answer("GetAuthorizationToken", ({ signed }) =>
      jsonAnswer({ authorizationData: signed?.service === "ecr-public" ? token() : [token()] })
    )
    aws.answer("AssumeRole", roleSession("AssumeRole", session))
    aws.answer("AssumeRoleWithWebIdentity", roleSession("AssumeRoleWithWebIdentity", session))
  })
)

type Aws = Effect.Effect.Success<typeof wellAws>

const connect = (aws: Pick<Aws, "endpoints">, { options }: Row, settings: AwsConnector.Settings = {}) =>
  AwsConnector.make({ ...options, allowImplicitMethods: true, endpoints: aws.endpoints, ...settings })

const issue = (aws: Pick<Aws, "endpoints">, row: Row, resource = host, settings: AwsConnector.Settings = {}) =>
  Effect.flatMap(connect(aws, row, settings), (connector) => connector.issue(resource))

const refusal = (aws: Pick<Aws, "endpoints">, row: Row, resource = host, settings: AwsConnector.Settings = {}) =>
  Effect.tap(Effect.flip(issue(aws, row, resource, settings)), (error) =>
    Effect.sync(() => {
      assert.instanceOf(error, ConnectorError)
      assert.strictEqual(error.connector, "aws")
      // No secret that was sent or received, in any form in which an error may be shown.
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
    })
  )

const loginOf = ({ expiry, host, kind }: Credential) =>
  kind._tag === "UsernamePassword"
    ? { host, username: kind.username, password: Redacted.value(kind.password), expiry: expiry._tag }
    : kind._tag

/** Milliseconds, less than the time after which the SDK itself takes a question back. */
const UNTIL_THE_SDK_GIVES_UP = 7_000

const endOf = ({ expiry }: Credential) => (expiry._tag === "At" ? expiry.at.epochMillis : expiry._tag)

describe("AwsConnector", () => {
  // The SDK reads the machine's configuration by itself: here it finds this one and no metadata service.
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-aws-"))
    const credentials = `[team]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = ${secrets.profile}\n[empty]\n`
    writeFileSync(join(folder, "credentials"), credentials)
    const environment = {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
      AWS_ACCESS_KEY_ID: "AKIAMACHINE",
      AWS_SECRET_ACCESS_KEY: secrets.machine,
      AWS_SESSION_TOKEN: secrets.session
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    return () => rmSync(folder, { recursive: true })
  })
  const said = vi.spyOn(console, "warn")
  afterAll(() => {
    vi.unstubAllEnvs()
    said.mockRestore()
  })

  describe.each(everyRow)("by %s", (authMethod, row) => {
    it.scoped("gives what ECR issues, as the method's identity, in the registry's region", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const connector = yield* connect(aws, row)
        assert.deepStrictEqual([connector.type, connector.authMethod], ["aws", authMethod])
        const credential = yield* connector.issue(host)
        assert.deepInclude(loginOf(credential), { host, username: "AWS", password })
        assert.notInclude(inspect([connector, credential], { depth: 9, showHidden: true }), "canary")
        assert.deepStrictEqual(aws.asked.at(-1), {
          action: "GetAuthorizationToken",
          signed: { accessKeyId: row.signer, region: "eu-west-1", service: "ecr" },
          parameters: {}
        })
        assert.deepStrictEqual(aws.actions().slice(0, -1), row.action === undefined ? [] : [row.action])
      })
    )

    it.scoped("gives a login that ends with the session or with ECR's token, whichever is first", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const ends = { Never: millis.token, Unknown: "Unknown", At: millis.session }
        assert.strictEqual(endOf(yield* issue(aws, row)), ends[row.session])
        aws.answer("GetAuthorizationToken", jsonAnswer({ authorizationData: [token(60_000)] }))
        assert.strictEqual(endOf(yield* issue(aws, row)), 60_000)
      })
    )

    it.scoped("says that ECR refuses, and who is refused what", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const words = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:GetAuthorizationToken"
        aws.answer("GetAuthorizationToken", jsonError("AccessDeniedException", words))
        const error = yield* refusal(aws, row)
        assert.deepStrictEqual([error.reason, error.resource], ["denied", host])
        assert.include(error.message, words)
      })
    )

    it.scoped("says that the session is over", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("GetAuthorizationToken", jsonError("ExpiredTokenException", "The security token is expired"))
        assert.strictEqual((yield* refusal(aws, row)).reason, "expired")
      })
    )

    it.scoped("is unavailable when the service is down, or has a fault", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const down = { endpoints: { ecr: "http://127.0.0.1:1", sts: aws.url } }
        const error = yield* refusal(aws, row, host, down)
        assert.deepStrictEqual([error.reason, error.resource], ["unavailable", host])
        assert.include(error.message, "ECONNREFUSED")
        aws.answer("GetAuthorizationToken", jsonError("ServerException", "a fault", 500))
        assert.strictEqual((yield* refusal(aws, row)).reason, "unavailable")
      })
    )

    it.scoped("is unavailable when the answer has another form, and repeats none of it", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const bodies = [
          `<html>${password}</html>`,
          "canary",
          `AWS:${password}`,
          "",
          "[1]",
          "{}",
          '{"authorizationData":[]}',
          `{"authorizationData":"${password}"}`,
          '{"authorizationData":[{}]}',
          ...["AWS", ":", "AWS:", `:${password}`].map((login) =>
            JSON.stringify({ authorizationData: [{ authorizationToken: Buffer.from(login).toString("base64") }] })
          ),
          JSON.stringify({ authorizationData: [{ authorizationToken: `${password}!` }] }),
          JSON.stringify({ authorizationData: [{ ...token(), expiresAt: password }] })
        ]
        for (const body of bodies) {
          aws.answer("GetAuthorizationToken", { status: 200, body })
          const error = yield* refusal(aws, row)
          assert.strictEqual(error.reason, "unavailable", body)
        }
      })
    )

    it.scoped(
      "takes its question back when nobody waits for the answer any more",
      () =>
        Effect.gen(function* () {
          const aws = yield* wellAws
          aws.answer("GetAuthorizationToken", "silence")
          const fiber = yield* Effect.fork(issue(aws, row))
          yield* until(() => aws.actions().includes("GetAuthorizationToken"))
          yield* Fiber.interrupt(fiber)
          yield* until(() => aws.abandoned() === 1)
        }),
      UNTIL_THE_SDK_GIVES_UP
    )
  })

  describe.each(roleRows)("by %s, when STS", (_, action, row) => {
    it.scoped("asks for the role, under the session's name, for as long as wanted", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        yield* issue(aws, row)
        const { parameters } = aws.asked[0] ?? { parameters: {} }
        assert.deepInclude(parameters, { RoleArn: roleArn, RoleSessionName: "gantry" })
        assert.notProperty(parameters, "DurationSeconds")
        const wanted = { sessionName: "build-7", duration: "15 minutes" } as const
        yield* issue(aws, { ...row, options: { ...row.options, ...wanted } })
        assert.deepInclude(aws.asked[2]?.parameters, { RoleSessionName: "build-7", DurationSeconds: "900" })
      })
    )

    it.scoped("says no, is down, or answers in another form", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const session = { secretAccessKey: secrets.role, sessionToken: secrets.roleToken }
        const answers = [
          [xmlError("AccessDenied", `Not authorized to perform sts:${action}`, 403), "denied"],
          [xmlError("InvalidClientTokenId", "The security token is invalid", 403), "denied"],
          [xmlError("InvalidIdentityToken", "No OpenIDConnect provider found in your account"), "denied"],
          [xmlError("ExpiredTokenException", "Token expired"), "expired"],
          [xmlError("ExpiredToken", "The security token is expired", 403), "expired"],
          [xmlError("ValidationError", "1 validation error detected: roleArn"), "misconfigured"],
          [xmlError("RegionDisabledException", "STS is not activated in this region", 403), "denied"],
          [xmlError("IDPCommunicationError", "could not reach the provider"), "unavailable"],
          [{ status: 503, body: "<html>" }, "unavailable"],
          [{ status: 200, body: "<html><body>hello</body></html>" }, "unavailable"],
          [{ status: 200, body: `${secrets.role} is no XML` }, "unavailable"],
          [roleSession(action, { ...session, expiration: "canary" }), "unavailable"],
          [roleSession(action, { ...session, sessionToken: "", expiration: "2031-01-01T00:00:00Z" }), "unavailable"]
        ] as const
        for (const [answer, reason] of answers) {
          aws.answer(action, answer)
          const error = yield* refusal(aws, row)
          assert.deepStrictEqual([error.reason, error.resource], [reason, host], inspect(answer))
        }
        const down = { endpoints: { ecr: aws.url, sts: "http://127.0.0.1:1" } }
        assert.strictEqual((yield* refusal(aws, row, host, down)).reason, "unavailable")
        assert.notInclude(aws.actions(), "GetAuthorizationToken")
      })
    )

    it.scoped(
      "is asked in vain, takes the question back",
      () =>
        Effect.gen(function* () {
          const aws = yield* wellAws
          aws.answer(action, "silence")
          const fiber = yield* Effect.fork(issue(aws, row))
          yield* until(() => aws.actions().includes(action))
          yield* Fiber.interrupt(fiber)
          yield* until(() => aws.abandoned() === 1)
        }),
      UNTIL_THE_SDK_GIVES_UP
    )
  })

  describe("an identity of the machine", () => {
    const implicit: ReadonlyArray<AwsConnector.Method> = [
      { authMethod: "default-chain" },
      { authMethod: "profile", profile: "team" },
      { authMethod: "assume-role", roleArn, source: { authMethod: "default-chain" } }
    ]
    const making = (method: AwsConnector.Method, variables: Readonly<Record<string, string>> = {}) =>
      Effect.either(AwsConnector.make(method)).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
      )

    it.effect("is not used unless it is switched on, by the options or by the variable", () =>
      Effect.gen(function* () {
        for (const method of implicit) {
          const refused = yield* Effect.flip(Effect.flatten(making(method)))
          assert.strictEqual(refused.reason, "misconfigured")
          assert.include(refused.message, "allowImplicitMethods")
          assert.include(refused.message, "GANTRY_ENABLE_IMPLICIT_AUTH_METHODS")
          assert.isTrue(Either.isRight(yield* making(method, { GANTRY_ENABLE_IMPLICIT_AUTH_METHODS: "true" })))
          assert.isTrue(Either.isLeft(yield* making(method, { GANTRY_ENABLE_IMPLICIT_AUTH_METHODS: "false" })))
          assert.isTrue(Either.isLeft(yield* making(method, { GANTRY_ENABLE_IMPLICIT_AUTH_METHODS: "perhaps" })))
          assert.isTrue(
            Either.isLeft(
              yield* Effect.withConfigProvider(
                Effect.either(AwsConnector.make({ ...method, allowImplicitMethods: false })),
                ConfigProvider.fromMap(new Map([["GANTRY_ENABLE_IMPLICIT_AUTH_METHODS", "true"]]))
              )
            )
          )
        }
        assert.isTrue(Either.isRight(yield* making(accessKey)))
        assert.isTrue(Either.isRight(yield* making({ authMethod: "assume-role", roleArn, source: accessKey })))
      })
    )

    it.scoped("is not taken in place of a profile that does not exist or holds none", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        // Without a profile that has them, the SDK asks this for the credentials of the container.
        vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${aws.url}/container`)
        const container = { AccessKeyId: "ASIACONTAINER", SecretAccessKey: secrets.role, Token: secrets.roleToken }
        aws.answer("", jsonAnswer({ ...container, Expiration: "2031-01-01T00:00:00Z" }))
        for (const profile of ["misspelt", "empty"]) {
          const error = yield* refusal(aws, { ...rows.profile, options: { authMethod: "profile", profile } })
          assert.strictEqual(error.reason, "misconfigured")
          assert.include(error.message, profile)
        }
        assert.deepStrictEqual(aws.actions(), ["", ""])
      }).pipe(Effect.ensuring(Effect.sync(() => vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", undefined))))
    )

    it.scoped("is misconfigured when there is none", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        vi.stubEnv("AWS_ACCESS_KEY_ID", undefined)
        const error = yield* refusal(aws, rows["default-chain"])
        assert.deepStrictEqual([error.reason, error.resource], ["misconfigured", host])
        assert.include(error.message, "Could not load credentials from any providers")
      }).pipe(Effect.ensuring(Effect.sync(() => vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAMACHINE"))))
    )
  })

  it.scoped("renews often what a session without a known end was issued for", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const options: AwsConnector.SessionToken = {
        ...keys,
        authMethod: "session-token",
        sessionToken: Redacted.make(secrets.session)
      }
      assert.strictEqual(endOf(yield* issue(aws, { ...rows["session-token"], options })), "Unknown")
    })
  )

  it.scoped("gives a login of unknown end when ECR does not say it", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const { expiresAt: _, ...endless } = token()
      aws.answer("GetAuthorizationToken", jsonAnswer({ authorizationData: [endless] }))
      assert.strictEqual(endOf(yield* issue(aws, rows["access-key"])), "Unknown")
    })
  )

  it.scoped("says when an id token that is refused as over says that it is over, and whose it is", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      aws.answer("AssumeRoleWithWebIdentity", xmlError("ExpiredTokenException", "Token expired"))
      const error = yield* refusal(aws, rows["web-identity"])
      assert.include(error.message, "a test's source gave a token that is over at 2023-11-14T22:13:20.000Z")
    })
  )

  it.scoped("hands on why there is no id token, and asks AWS nothing", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const options: AwsConnector.Method = {
        authMethod: "web-identity",
        roleArn,
        idToken: IdToken.environment("NO_TOKEN")
      }
      const error = yield* refusal(aws, { ...rows["web-identity"], options })
      assert.strictEqual(error.reason, "misconfigured")
      assert.include(error.message, "NO_TOKEN")
      assert.isEmpty(aws.asked)
    })
  )

  it.scoped("hints at the clock when the signature is refused", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const echo = `The canonical string should have been: POST / x-amz-security-token:${secrets.session}`
      aws.answer("GetAuthorizationToken", jsonError("InvalidSignatureException", echo))
      const error = yield* refusal(aws, rows["session-token"])
      assert.strictEqual(error.reason, "denied")
      assert.include(error.message, "clock")
      aws.answer("GetAuthorizationToken", jsonError("UnrecognizedClientException", "The security token is invalid"))
      assert.strictEqual((yield* refusal(aws, rows["access-key"])).reason, "denied")
    })
  )

  it.scoped("is unavailable when AWS slows it down, after the SDK's own tries", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      aws.answer("GetAuthorizationToken", jsonError("ThrottlingException", "Rate exceeded"))
      assert.strictEqual((yield* refusal(aws, rows["access-key"])).reason, "unavailable")
      assert.strictEqual(aws.asked.length, 3)
    })
  )

  it.scoped("is misconfigured by an endpoint that is none", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const error = yield* refusal(aws, rows["access-key"], host, { endpoints: { ecr: "nonsense" } })
      assert.strictEqual(error.reason, "misconfigured")
    })
  )

  it.scoped("obeys the SDK's own variables for endpoints, and keeps to FIPS and dual-stack without one", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      vi.stubEnv("AWS_ENDPOINT_URL_ECR", aws.url)
      vi.stubEnv("AWS_ENDPOINT_URL_STS", aws.url)
      yield* issue(aws, rows["assume-role"], host, { endpoints: undefined })
      assert.deepStrictEqual(aws.actions(), ["AssumeRole", "GetAuthorizationToken"])
      // With an endpoint the SDK refuses both, so this shows that they were asked for.
      for (const resource of [
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        "123456789012.dkr-ecr.us-east-1.on.aws"
      ]) {
        const error = yield* refusal(aws, rows["access-key"], resource, { endpoints: undefined })
        assert.deepStrictEqual([error.reason, error.resource], ["misconfigured", resource])
        assert.match(error.message, /FIPS|Dualstack/)
        const login = yield* issue(aws, rows["access-key"], resource)
        assert.strictEqual(login.host, resource)
      }
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          vi.stubEnv("AWS_ENDPOINT_URL_ECR", undefined)
          vi.stubEnv("AWS_ENDPOINT_URL_STS", undefined)
        })
      )
    )
  )

  describe("registries", () => {
    it.scoped("of other accounts and partitions are asked for in their own region", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const connector = yield* connect(aws, rows["assume-role"])
        const asked = [
          ["210987654321.dkr.ecr.ap-southeast-2.amazonaws.com", "ap-southeast-2"],
          ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"],
          ["arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/team/app", "us-gov-west-1"]
        ]
        for (const [resource = "", region] of asked) {
          const { host } = yield* connector.issue(resource)
          assert.strictEqual(host, Either.getOrThrow(AwsConnector.resourceId(resource)))
          assert.deepStrictEqual(
            aws.asked.slice(-2).map(({ action, signed }) => [action, signed?.region]),
            [
              ["AssumeRole", region],
              ["GetAuthorizationToken", region]
            ]
          )
        }
      })
    )

    it.scoped("of another region are refused by a connector for one", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const error = yield* refusal(aws, rows["access-key"], host, { region: "us-east-1" })
        assert.deepStrictEqual([error.reason, error.resource], ["misconfigured", host])
        assert.include(error.message, "eu-west-1")
        assert.include(error.message, "us-east-1")
        assert.isEmpty(aws.asked)
        yield* issue(aws, rows["access-key"], host, { region: "eu-west-1" })
        yield* issue(aws, rows["access-key"], publicHost, { region: "eu-west-1" })
      })
    )

    it.scoped("that are public have their own service, in one region only", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const login = yield* issue(aws, rows["web-identity"], `${publicHost}/team`)
        assert.deepStrictEqual(loginOf(login), { host: publicHost, username: "AWS", password, expiry: "At" })
        assert.deepStrictEqual(aws.asked.at(-1)?.signed, {
          accessKeyId: "ASIAROLE",
          region: "us-east-1",
          service: "ecr-public"
        })
      })
    )

    it.scoped("are listed for a region: the caller's own", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        const lists = (region?: string) =>
          Effect.flatMap(connect(aws, rows["access-key"], { region }), ({ resources }) => resources)
        assert.deepStrictEqual(yield* lists("eu-west-1"), [host])
        assert.strictEqual((yield* Effect.flip(lists())).reason, "unsupported")
        for (const proxyEndpoint of [undefined, "", `https://evil.com/${host}`]) {
          aws.answer("GetAuthorizationToken", jsonAnswer({ authorizationData: [{ proxyEndpoint }] }))
          assert.strictEqual((yield* Effect.flip(lists("eu-west-1"))).reason, "unavailable")
        }
        aws.answer("GetAuthorizationToken", jsonError("AccessDeniedException", "no"))
        assert.strictEqual((yield* Effect.flip(lists("eu-west-1"))).reason, "denied")
      })
    )
  })

  describe("ensureRepository", () => {
    const image = ImageReference.unsafeParse(`${host}/team/app:1`)
    const missing = jsonError("RepositoryNotFoundException", "The repository with name 'team/app' does not exist")
    const ensureWith = (aws: Aws, settings: AwsConnector.Settings = {}) =>
      Effect.map(connect(aws, rows["access-key"], settings), ({ ensureRepository }) =>
        Option.getOrThrow(ensureRepository)
      )

    it.scoped("asks once for the one repository by its name, in its account", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("DescribeRepositories", jsonAnswer({ repositories: [{}] }))
        const ensure = yield* ensureWith(aws, { createRepository: true })
        yield* ensure(image)
        yield* ensure(image)
        assert.deepStrictEqual(
          aws.asked.map(({ action, parameters }) => [action, parameters]),
          [["DescribeRepositories", { registryId: "123456789012", repositoryNames: ["team/app"] }]]
        )
      })
    )

    it.scoped("creates a missing one when told to, and tells of it otherwise, each time", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("DescribeRepositories", missing)
        aws.answer("CreateRepository", jsonAnswer({ repository: {} }))
        const look = yield* ensureWith(aws)
        for (const _ of [1, 2]) {
          const error = yield* Effect.flip(look(image))
          assert.deepStrictEqual([error.reason, error.resource], ["misconfigured", host])
          assert.include(error.message, "team/app does not exist")
        }
        assert.deepStrictEqual(aws.actions(), ["DescribeRepositories", "DescribeRepositories"])
        yield* (yield* ensureWith(aws, { createRepository: true }))(image)
        assert.deepStrictEqual(aws.asked.at(-1)?.action, "CreateRepository")
        assert.deepStrictEqual(aws.asked.at(-1)?.parameters, { registryId: "123456789012", repositoryName: "team/app" })
      })
    )

    it.scoped("takes one that somebody else created meanwhile", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("DescribeRepositories", missing)
        aws.answer("CreateRepository", jsonError("RepositoryAlreadyExistsException", "it already exists"))
        yield* (yield* ensureWith(aws, { createRepository: true }))(image)
      })
    )

    it.scoped("says why it could not look, or create", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("DescribeRepositories", jsonError("AccessDeniedException", "not authorized to describe"))
        const ensure = yield* ensureWith(aws, { createRepository: true })
        assert.strictEqual((yield* Effect.flip(ensure(image))).reason, "denied")
        aws.answer("DescribeRepositories", missing)
        aws.answer("CreateRepository", jsonError("LimitExceededException", "too many repositories"))
        const error = yield* Effect.flip(ensure(image))
        assert.include(error.message, "too many repositories")
        aws.answer("CreateRepository", jsonAnswer({ repository: {} }))
        yield* ensure(image)
      })
    )

    it.scoped("looks for a public repository below its alias", () =>
      Effect.gen(function* () {
        const aws = yield* wellAws
        aws.answer("DescribeRepositories", missing)
        aws.answer("CreateRepository", jsonAnswer({ repository: {} }))
        const ensure = yield* ensureWith(aws, { createRepository: true })
        yield* ensure(ImageReference.unsafeParse(`${publicHost}/alias/team/app:1`))
        assert.deepStrictEqual(
          aws.asked.map(({ parameters, signed }) => [signed?.service, parameters]),
          [
            ["ecr-public", { repositoryNames: ["team/app"] }],
            ["ecr-public", { repositoryName: "team/app" }]
          ]
        )
      })
    )
  })

  describe("resourceId", () => {
    const idOf = (text: string) => Option.getOrUndefined(Either.getRight(AwsConnector.resourceId(text)))

    it("gives the host, with the suffix it was written with", () => {
      const known = [
        [host, host],
        [`https://${host}`, host],
        [`https://${host.toUpperCase().replaceAll("AMAZONAWS", "amazonaws")}/team/app`, host],
        [`${host}/team/app`, host],
        ["arn:aws:ecr:eu-west-1:123456789012:repository", host],
        ["arn:aws:ecr:eu-west-1:123456789012:repository/team/app", host],
        ["arn:aws-cn:ecr:cn-north-1:123456789012:repository", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"],
        [
          "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository",
          "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com"
        ],
        ["arn:aws-eusc:ecr:eusc-de-east-1:123456789012:repository", "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu"],
        ["arn:aws-iso:ecr:us-iso-east-1:123456789012:repository", "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov"],
        [
          "arn:aws-iso-b:ecr:us-isob-east-1:123456789012:repository",
          "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov"
        ],
        [
          "arn:aws-iso-e:ecr:eu-isoe-west-1:123456789012:repository",
          "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk"
        ],
        [
          "arn:aws-iso-f:ecr:us-isof-south-1:123456789012:repository",
          "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov"
        ],
        ["arn:aws:ecr-public::123456789012:repository/app", publicHost],
        ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/x", "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"],
        ["123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012.dkr-ecr.eu-west-1.on.aws"],
        ["https://123456789012.dkr-ecr-fips.us-east-1.on.aws/", "123456789012.dkr-ecr-fips.us-east-1.on.aws"],
        ["public.ecr.aws/alias/app", publicHost],
        ["ecr-public.aws.com", "ecr-public.aws.com"]
      ] as const
      for (const [text, id] of known) {
        assert.strictEqual(idOf(text), id, text)
        assert.isTrue(RegistryFlavor.aws.matchesHost(id), id)
      }
    })

    it("refuses what is not Amazon's, with the forms that are and without a password", () => {
      const foreign = [
        "evil-amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.evil-amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.com",
        "evil.com/123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "https://evil.com#123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        `https://ci:hunter2@${host}`,
        `${host}:5000`,
        "1234.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.amazonaws.com",
        "arn:aws:s3:::bucket",
        "arn:aws-moon:ecr:eu-west-1:123456789012:repository",
        "arn:aws:ecr:eu-west-1:1:repository",
        "arn:aws:ecr:evil.com/:123456789012:repository",
        "arn:aws:ecr:eu-west-1:123456789012:repository/UPPER",
        "docker.io",
        ""
      ]
      for (const text of foreign) {
        const { message } = Either.getOrThrow(Either.flip(AwsConnector.resourceId(text)))
        assert.include(message, "<account>.dkr.ecr.<region>.amazonaws.com")
        assert.notInclude(message, "hunter2")
      }
    })

    it("gives an id that is its own id and Amazon's, or refuses, and never throws", () => {
      const pieces = [
        "123456789012",
        ".dkr.ecr",
        "-fips",
        ".",
        "eu-west-1",
        "amazonaws.com",
        ".cn",
        "arn:aws:ecr:",
        ":",
        "/"
      ]
      const text = FastCheck.oneof(
        registryUriText,
        FastCheck.string({ unit: "binary" }),
        FastCheck.array(
          FastCheck.constantFrom(...pieces, ":repository", "repository", "public.ecr.aws", "\n", "evil"),
          {
            maxLength: 9
          }
        ).map((parts) => parts.join(""))
      )
      FastCheck.assert(
        FastCheck.property(text, (written) => {
          const id = idOf(written)
          return id === undefined || (idOf(id) === id && RegistryFlavor.aws.matchesHost(id))
        })
      )
    })

    it("takes steps linear in the length of a hostile id", () => {
      const inArn = (text: string) => `arn:aws:ecr:eu-west-1:123456789012:repository/${text}`
      for (const [name, text] of Object.entries(hostileTexts)) {
        assert.isBelow(
          countSteps(() => AwsConnector.resourceId(text(100_000))),
          4_000_000,
          name
        )
        assert.isBelow(
          countSteps(() => AwsConnector.resourceId(inArn(text(100_000)))),
          4_000_000,
          name
        )
      }
    })
  })

  it.scoped("takes its options from the configuration", () =>
    Effect.gen(function* () {
      const aws = yield* wellAws
      const layer = AwsConnector.layerConfig({
        authMethod: Config.succeed("access-key"),
        accessKeyId: Config.string("KEY"),
        secretAccessKey: Config.redacted("SECRET"),
        endpoints: Config.succeed(aws.endpoints)
      })
      const issued = Effect.flatMap(ServiceConnector.ServiceConnector, ({ issue }) => issue(host)).pipe(
        Effect.provide(layer),
        Effect.withConfigProvider(
          ConfigProvider.fromMap(
            new Map([
              ["KEY", "AKIACONFIG"],
              ["SECRET", secrets.keys]
            ])
          )
        )
      )
      assert.strictEqual((yield* issued).host, host)
      assert.strictEqual(aws.asked[0]?.signed?.accessKeyId, "AKIACONFIG")
      const failed = yield* Effect.exit(
        Effect.scoped(Effect.provide(Effect.void, AwsConnector.layer({ authMethod: "default-chain" })))
      )
      assert.isTrue(Exit.isFailure(failed))
    })
  )

  it("leaves the console to the application, whatever the SDK has to say", () => {
    assert.deepStrictEqual(said.mock.calls, [])
  })
})

/** Lets the event loop run until something has happened; the test's time limit is the end of the wait. */
const until = (happened: () => boolean): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const look = () => (happened() ? resume(Effect.void) : void setImmediate(look))
    look()
  })
