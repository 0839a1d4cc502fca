import { assert, describe, it } from "@effect/vitest"
import { parseFamiliarName } from "@swimlane/docker-reference"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ImageReference from "../../src/reference/ImageReference.ts"

const hex = "0123456789abcdef".repeat(4)

// Its expressions backtrack exponentially in a run of letters, so the texts have short runs.
const oracle = (text: string): string | undefined => {
  try {
    const { domain, repository, tag, digest } = parseFamiliarName(text)
    return `${domain}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`
  } catch {
    return undefined
  }
}

const ours = (text: string): string | undefined => Either.getOrUndefined(Either.map(ImageReference.parse(text), String))

/** Where the two differ on purpose, with the reason. The package follows distribution/reference v0.5 and older. */
const divergences: ReadonlyArray<{ readonly reason: string; readonly applies: (text: string) => boolean }> = [
  {
    reason: "hosts are case-insensitive (issue 2), and an upper-case first component is a host since v0.6",
    applies: (text) => /^[^/]*[A-Z][^/]*\//.test(text)
  },
  { reason: "IPv6 hosts exist since v0.5.1", applies: (text) => text.startsWith("[") },
  {
    reason: "registry-1.docker.io is Docker Hub (zenml.md W2)",
    applies: (text) => text.startsWith("registry-1.docker.io/")
  },
  {
    reason:
      "a first component with a dot that is no host gives the package, and distribution, a reference without host",
    applies: (text) => /^[^/]*_[^/]*\//.test(text)
  },
  { reason: "go-digest has lower-case hexadecimal only", applies: (text) => /@sha256:.*[A-F]/.test(text) },
  {
    reason: "since v0.6 the limit of 255 characters is the repository's, the host aside",
    applies: (text) => text.length > 255
  }
]

const pieces = "a|a|b0|a.b|a-b|a--b|a_b|a__b|/a|/b|:1|-|_|.|/|:|B|@|[| |%".split("|")
const text = FastCheck.tuple(
  FastCheck.constantFrom(
    "",
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "localhost/",
    "localhost:5000/",
    "a.b:80/",
    "[::1]/",
    "Foo/"
  ),
  FastCheck.array(FastCheck.constantFrom(...pieces), { minLength: 1, maxLength: 4 }),
  FastCheck.constantFrom("", ":1.0", `@sha256:${hex}`, `:v@sha256:${hex}`, "@sha256:0", `@sha256:${hex.toUpperCase()}`)
).map(([host, middle, end]) => `${host}${middle.join("")}${end}`)

describe("ImageReference.parse beside @swimlane/docker-reference", () => {
  it("agrees on every text outside of the listed divergences", () => {
    let accepted = 0
    FastCheck.assert(
      FastCheck.property(text, (text) => {
        FastCheck.pre(!divergences.some((divergence) => divergence.applies(text)))
        const result = ours(text)
        if (result !== undefined) accepted++
        assert.strictEqual(result, oracle(text), text)
      }),
      { numRuns: 2000, maxSkipsPerRun: 10 }
    )
    assert.isAbove(accepted, 150)
  })

  it("diverges where it says so", () => {
    const examples = [
      "Reg.io/a",
      "[::1]/a",
      "registry-1.docker.io/a",
      "a_b.c/a",
      `a@sha256:${hex.toUpperCase()}`,
      `reg.io/${"a.".repeat(126)}a`
    ]
    for (const [index, example] of examples.entries()) {
      assert.isTrue(divergences[index]?.applies(example), example)
      assert.notStrictEqual(ours(example), oracle(example), example)
    }
    assert.strictEqual(examples.length, divergences.length)
  })
})
