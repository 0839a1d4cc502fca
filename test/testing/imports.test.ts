import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"

const root = fileURLToPath(new URL("../..", import.meta.url))
const entry = "src/testing/index.ts"

/** Everything that importing gantry/testing loads; what `import()` names is loaded by who asks for the real thing. */
const loaded = async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
    // The real engine client and the clouds' are reached by import() alone, which is what the walk below proves.
    external: ["node:*", "dockerode", "docker-modem", "@aws-sdk/*", "@azure/*", "google-auth-library", "yaml"]
  })
  const files = new Set([entry])
  const packages = new Set<string>()
  for (const file of files) {
    for (const { external, kind, path } of metafile.inputs[file]?.imports ?? []) {
      if (kind === "dynamic-import") continue
      if (external === true) packages.add(path)
      else files.add(path)
    }
  }
  return { files: [...files], packages: [...packages] }
}

describe("gantry/testing", () => {
  it("loads nothing of Node's, no engine client, no test runner, and neither a file nor a network", async () => {
    const { files, packages } = await loaded()
    assert.include(files, "src/runtime/PushSupervisor.ts")
    assert.deepStrictEqual(packages, [])
    const owners = new Set(files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? "gantry"))
    assert.sameMembers(
      [...owners],
      ["gantry", "effect", "@effect/platform", "@noble/hashes", "fast-check", "pure-rand"]
    )
  })
})
