import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import { at, credential, gantry, users, written } from "./support/registries.ts"

const authentication = { type: "token", users } as const

const file = `
version: 1
registries:
  main: { uri: reg.test/team, secret: dev }
secrets:
  dev: { username: dev, password: { env: DEV_PASSWORD } }
`

const variables = { DEV_PASSWORD: "dev-password" }

const image = (name: string) =>
  Effect.flatMap(TestRegistry.TestRegistry, ({ addImage }) =>
    addImage(ImageReference.unsafeParse(name), { config: new Uint8Array([123, 125]), layers: [] })
  )

describe("gantry digest", () => {
  it.scoped("prints the digest and nothing else, for a host's image as for one of a named registry", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { digest } = yield* image("reg.test/team/app:latest")
      for (const target of ["@main/app", "reg.test/team/app:latest"]) {
        const { code, stderr, stdout } = yield* gantry(["digest", target, "--config", config])
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.isTrue(stdout.endsWith(`${digest}\n`))
      }
    }).pipe(at({ variables, authentication }))
  )

  it.scoped("prints one JSON document with --output json", () =>
    Effect.gen(function* () {
      const { digest } = yield* image("reg.test/app:1")
      const { stdout } = yield* gantry(["digest", "reg.test/app:1", "--output", "json"])
      assert.deepStrictEqual(JSON.parse(stdout), {
        schemaVersion: 1,
        target: "reg.test/app:1",
        status: "found",
        digest: String(digest),
        repoDigest: `reg.test/app@${digest}`
      })
    }).pipe(at())
  )

  it.scoped("exits 1 for a tag that is not there, and says so on stderr only", () =>
    Effect.gen(function* () {
      yield* image("reg.test/app:1")
      const { code, stderr, stdout } = yield* gantry(["digest", "reg.test/app:2"])
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.include(stderr, "gantry digest: reg.test has no reg.test/app:2")
    }).pipe(at())
  )

  it.scoped("exits 3 for a wrong password and 5 for a registry that can not be reached", () =>
    Effect.gen(function* () {
      const credentials = [credential("reg.test", "dev", "hunter2")]
      const refused = yield* gantry(["digest", "reg.test/app:1"], { credentials })
      assert.deepStrictEqual([refused.code, refused.stdout], [3, ""])
      assert.notInclude(refused.stderr, "hunter2")
      const { fault } = yield* TestRegistry.TestRegistry
      yield* fault({ effect: { type: "disconnect" } })
      const gone = yield* gantry(["digest", "reg.test/app:1", "--output", "json"], { credentials })
      assert.strictEqual(gone.code, 5)
      assert.deepInclude(JSON.parse(gone.stdout), { status: "failed", target: "reg.test/app:1" })
    }).pipe(at({ authentication }))
  )

  it.scoped("exits 2 for a target that is none, and asks nothing", () =>
    Effect.gen(function* () {
      for (const target of ["UPPER", "@nobody/app", `reg.test/app@sha256:${"a".repeat(64)}`]) {
        const { code, stderr, stdout } = yield* gantry(["digest", target])
        assert.deepStrictEqual([code, stdout], [2, ""], target)
        assert.include(stderr, "TARGET")
      }
      assert.deepStrictEqual(yield* Effect.flatMap(TestRegistry.TestRegistry, ({ requests }) => requests), [])
    }).pipe(at())
  )
})
