import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { build } from "esbuild"
import { afterAll, beforeAll } from "vitest"
import * as CredentialServer from "../../src/cli/exec/CredentialServer.ts"

// The program as docker runs it: bundled, in a process of its own.
const folder = mkdtempSync(join(tmpdir(), "gantry-"))
const program = join(folder, "helper.mjs")

beforeAll(async () => {
  const entry = fileURLToPath(new URL("../../src/cli/credentialHelper.ts", import.meta.url))
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: "node", format: "esm" })
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const helper = (
  words: ReadonlyArray<string>,
  options: { readonly stdin?: string; readonly environment?: Record<string, string> } = {}
) =>
  Effect.promise(
    () =>
      new Promise<readonly [code: number | null, stdout: string, stderr: string]>((resolve) => {
        const child = spawn(process.execPath, [program, ...words], { env: options.environment ?? {} })
        const [stdout, stderr]: [Array<string>, Array<string>] = [[], []]
        child.stdout.on("data", (chunk) => stdout.push(String(chunk)))
        child.stderr.on("data", (chunk) => stderr.push(String(chunk)))
        child.on("close", (code) => resolve([code, stdout.join(""), stderr.join("")]))
        child.stdin.end(options.stdin ?? "")
      })
  )

describe("docker-credential-gantry", () => {
  it.effect("says its version and its usage", () =>
    Effect.gen(function* () {
      const [code, stdout] = yield* helper(["version"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /^docker-credential-gantry \(gantry\) v\d+\.\d+\.\d+\n$/)
      assert.deepStrictEqual(yield* helper([]), [
        1,
        "Usage: docker-credential-gantry <store|get|erase|list|version>\n",
        ""
      ])
    })
  )

  it.effect("says on stdout, as docker wants it, that it is not under a gantry exec, or that this has ended", () =>
    Effect.gen(function* () {
      const [code, stdout, stderr] = yield* helper(["get"], { stdin: "reg.io" })
      assert.deepStrictEqual([code, stderr], [1, ""])
      assert.match(stdout, /^docker-credential-gantry has credentials under gantry exec only: /)
      const orphan = yield* helper(["get"], { stdin: "reg.io", environment: { GANTRY_EXEC: folder } })
      assert.deepStrictEqual(orphan, [
        1,
        "the gantry exec that this command ran under has ended: run the command with it again\n",
        ""
      ])
    })
  )

  it.scopedLive("hands action and address to its gantry exec, and its words and verdict back", () =>
    Effect.gen(function* () {
      yield* CredentialServer.serve(folder, (action, input) =>
        Effect.succeed({ isGood: action === "get", text: Redacted.make(`${action}: ${input}`) })
      )
      const environment = { GANTRY_EXEC: folder }
      assert.deepStrictEqual(yield* helper(["get"], { environment, stdin: "rég.io" }), [0, "get: rég.io\n", ""])
      assert.deepStrictEqual(yield* helper(["erase"], { environment, stdin: "reg.io" }), [1, "erase: reg.io\n", ""])
    }).pipe(Effect.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)))
  )
})
