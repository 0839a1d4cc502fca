import { readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, gantry } from "./support/registries.ts"

/** Command lines that are wrong, as people get them wrong. */
const wrong: ReadonlyArray<string> = [
  "pusch app:1",
  "--verbose push app:1",
  "push",
  "push app:1 --dry-rn",
  "push app:1 -p secret",
  "push app:1 --to",
  "push app:1 --to reg.test/a --output xml --retries many --stall-timeout 5",
  "push App:1",
  "push app:1 --to @prdo/app --config FOLDER/gantry.yaml",
  "push app:1 --to @prod/App --config FOLDER/gantry.yaml",
  "push app:1 --to reg.test/a@sha256:12",
  "push oci:./build",
  "push a:1 b:1 --to reg.test/x:1",
  "push app:1 --username me",
  "push app:1 --to a.test/x --to b.test/x --username me --password-stdin",
  "push app:1 --plain-http a.test --tls-skip-verify a.test",
  "push app:1 --report out.txt",
  "push app:1 --report FOLDER/none/out.json",
  "push app:1 --only ap --only !x",
  "push app:1 --on-existing keep",
  "push app:1 --ci gitlab",
  "batch",
  "batch a b",
  "batch -",
  "batch FOLDER/none.yaml",
  "batch FOLDER/gantry.yaml",
  "batch FOLDER/conflict.yaml",
  "push app:1 --context lab --host tcp://lab:2376",
  "push app:1 --config FOLDER/none.yaml",
  "push app:1 --config FOLDER/bad.yaml",
  "verify",
  "verify --all",
  "verify prd --config FOLDER/gantry.yaml",
  "verify prod --write app:1 --config FOLDER/gantry.yaml",
  "digest",
  "digest a b",
  "config check FOLDER/bad.yaml",
  "config check FOLDER",
  "schema reports",
  "flavors all",
  "doctor reg.test",
  "exec prod docker push app:1",
  "exec prd --config FOLDER/gantry.yaml -- docker push app:1"
]

const files = {
  "gantry.yaml": "version: 1\nregistries: { local: { uri: localhost:5000 }, prod: { uri: reg.test/team } }\n",
  "conflict.yaml": `registries: { prod: { uri: reg.test/team } }
version: 1
pushes:
  - { source: "a:1", to: ["@prod/x", "elsewhere.test/x"] }
  - { source: "b:1", to: "@prod/x" }
  - { source: "oci:./build#a/b", to: "@prod/y:1" }
`,
  "bad.yaml": `version: 1
registries:
  prod: { uri: reg.test, secret: ghrc }
secrets: { ghcr: { username: me, password: hunter2-hunter2 } }
pushes: [{ source: "app:\${VERSION}", to: "@prdo/app" }]
`
}

/** Commands come and go. */
const mask = (text: string) => text.replace(/the commands are .*/, "the commands are …")

/** What such a command line gets on stderr; folders are masked. */
const told = (folder: string) => (line: string) =>
  gantry(line.replaceAll("FOLDER", folder).split(" ")).pipe(
    at(),
    Effect.map(({ code, stderr, stdout }) => ({
      code,
      stdout,
      block: `$ gantry ${line}\n${mask(stderr.replaceAll(folder, "FOLDER"))}`
    }))
  )

describe("a wrong command line", () => {
  it.scoped("is answered as test/golden/usage.txt has it, with nothing on stdout and exit code 2", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const folder = yield* fileSystem.makeTempDirectoryScoped()
      yield* Effect.forEach(Object.entries(files), ([name, text]) =>
        fileSystem.writeFileString(`${folder}/${name}`, text)
      )
      const answers = yield* Effect.forEach(wrong, told(folder))
      const text = answers.map(({ block }) => block).join("\n")
      const expected = readFileSync(new URL("../golden/usage.txt", import.meta.url), "utf8")
      assert.strictEqual(text, expected)
      assert.deepStrictEqual(
        answers.filter(({ code, stdout }) => code !== 2 || stdout !== ""),
        []
      )
      for (const secret of ["hunter2-hunter2", "secret\n"])
        assert.notInclude(text.replaceAll("-p secret\n", ""), secret)
    }).pipe(at())
  )
})
