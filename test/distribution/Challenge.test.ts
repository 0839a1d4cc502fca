import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Challenge from "../../src/distribution/Challenge.ts"

const bearer = (parameters: Readonly<Record<string, string>>) =>
  new Challenge.Challenge({ scheme: "bearer", parameters, token: Option.none() })
const basic = (parameters: Readonly<Record<string, string>>) =>
  new Challenge.Challenge({ scheme: "basic", parameters, token: Option.none() })
const opaque = (scheme: string, token: string) =>
  new Challenge.Challenge({ scheme, parameters: {}, token: Option.some(token) })

const assertReads = (header: string, expected: ReadonlyArray<Challenge.Challenge>) =>
  assert.deepStrictEqual(plain(Challenge.parse(header)), plain(Either.right(expected)))

const plain = (read: Either.Either<ReadonlyArray<Challenge.Challenge>, unknown>) =>
  Either.map(read, (challenges) =>
    challenges.map(({ parameters, scheme, token }) => ({ scheme, parameters: { ...parameters }, token }))
  )

describe("Challenge.parse", () => {
  it("reads a registry's bearer challenge, whose scope holds commas", () => {
    assertReads(
      `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:acme/app:pull,push"`,
      [
        bearer({
          realm: "https://auth.docker.io/token",
          service: "registry.docker.io",
          scope: "repository:acme/app:pull,push"
        })
      ]
    )
  })

  it("reads several challenges in one header", () => {
    assertReads(`Basic realm="a, b", Bearer realm="https://x/token", Negotiate`, [
      basic({ realm: "a, b" }),
      bearer({ realm: "https://x/token" }),
      new Challenge.Challenge({ scheme: "negotiate", parameters: {}, token: Option.none() })
    ])
  })

  it("tells an opaque token from parameters", () => {
    assertReads(`Negotiate YWJjZA==, Basic realm=plain`, [opaque("negotiate", "YWJjZA=="), basic({ realm: "plain" })])
  })

  it("takes scheme and parameter names in any case and keeps values as they are", () => {
    assertReads(`bEaReR ReAlM="https://X/Token",SERVICE=ACME`, [bearer({ realm: "https://X/Token", service: "ACME" })])
  })

  it("undoes escapes in quoted strings", () => {
    assertReads(String.raw`Basic realm="a \"quoted\" \\ name"`, [basic({ realm: String.raw`a "quoted" \ name` })])
  })

  it("forgives blanks around equals signs, empty list elements and a missing comma", () => {
    assertReads(`, ,Bearer realm = "https://x/token" , , service="s" scope="a:b:pull" ,`, [
      bearer({ realm: "https://x/token", service: "s", scope: "a:b:pull" })
    ])
  })

  it("lets the first of two parameters with one name count", () => {
    assertReads(`Bearer realm="https://good/token",realm="https://evil/token"`, [
      bearer({ realm: "https://good/token" })
    ])
  })

  it("names the place and what belongs there when a header can not be read", () => {
    const failure = (header: string) => Either.match(Challenge.parse(header), { onLeft: String, onRight: () => "read" })
    assert.include(failure(`Bearer realm="never closed`), "expected a token or a closed quoted string at offset 13")
    assert.include(failure(`Bearer realm="a"service="b"`), "expected a comma at offset 16")
    assert.include(failure(`"quoted"`), "expected a scheme at offset 0")
    assert.include(failure(`Bearer realm="${"x".repeat(Challenge.MAXIMUM_LENGTH)}"`), "the end of the header")
  })

  it("reads every header of an answer, and one that can not be read hides no other", () => {
    assert.deepStrictEqual(
      plain(Challenge.parseAll([`Basic realm="a`, `Bearer realm="https://x/token"`])),
      plain(Either.right([bearer({ realm: "https://x/token" })]))
    )
    assert.isTrue(Either.isLeft(Challenge.parseAll([`Basic realm="a`])))
    assert.deepStrictEqual(Challenge.parseAll([]), Either.right([]))
  })
})

const name = FastCheck.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).filter((text) => text !== "constructor")
const challenge = FastCheck.oneof(
  FastCheck.record({
    scheme: name,
    parameters: FastCheck.dictionary(name, FastCheck.string({ unit: "grapheme" }))
  }).map((parts) => new Challenge.Challenge({ ...parts, token: Option.none() })),
  FastCheck.record({ scheme: name, token: FastCheck.stringMatching(/^[A-Za-z0-9._~+/-]{1,20}={0,2}$/) }).map(
    ({ scheme, token }) => opaque(scheme, token)
  )
)

describe("Challenge.format", () => {
  it("writes what parse reads back", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(challenge, { maxLength: 4 }), (challenges) => {
        assert.deepStrictEqual(plain(Challenge.parse(Challenge.format(challenges))), plain(Either.right(challenges)))
      })
    )
  })
})

describe("Challenge.parse of anything", () => {
  const fragment = FastCheck.oneof(
    FastCheck.constantFrom("Bearer", "Basic", " ", ",", "=", `"`, "\\", "realm", "a=b", `c="d"`, "==", "\t"),
    FastCheck.string()
  )

  it("ends in challenges or in a typed error", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(fragment, { maxLength: 30 }).map((parts) => parts.join("")),
        (header) => {
          const read = Challenge.parse(header)
          if (Either.isLeft(read)) {
            assert.strictEqual(read.left._tag, "InvalidChallenge")
            assert.isAtMost(read.left.position, header.length)
          }
        }
      )
    )
  })

  it("comes to an end with the longest hostile headers within the time a test has", () => {
    const size = Challenge.MAXIMUM_LENGTH
    for (const pattern of ["a ", `a="`, ",", "a=b ", "==", `"\\`, "a", " ", `a="\\"`]) {
      assert.doesNotThrow(() => Challenge.parse(pattern.repeat(size / pattern.length)))
      assert.doesNotThrow(() => Challenge.parse(`Bearer ${pattern.repeat((size - 7) / pattern.length)}`))
    }
  })
})
