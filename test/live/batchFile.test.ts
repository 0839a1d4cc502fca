import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import { readReport, run, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const example = (name: string) => join(root, "scripts/examples/batch", name)

/** Everything that the three registries were asked while this ran. */
const observed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const { htpasswd, open, token } = (yield* LiveStack).registries
  const [[[result, first], second], third] = yield* htpasswd.observe(token.observe(open.observe(effect)))
  const requests = [...first, ...second, ...third]
  return { result, requests, writes: requests.filter(({ method }) => method !== "GET" && method !== "HEAD") }
})

/** Two versions of an image, and one of another, in the engine under names of their own. */
const versions = Effect.gen(function* () {
  const { engine } = yield* LiveStack
  const name = uniqueRepository("batch-file")
  const load = (tag: string) => loadedImage(engine, { tags: [tag], layers: [{ seed: tag, size: 50_000 }] })
  yield* Effect.forEach([`${name}/app:1`, `${name}/app:2`, `${name}/worker:1`], load)
  return name
})

const stackFile = Effect.fnUntraced(function* (name: string, more = "") {
  const { registries } = yield* LiveStack
  const path = join(yield* temporaryFolder, "gantry.yaml")
  const text = `version: 1
registries:
  open: { uri: "${registries.open.host}/${name}" }
  login: { uri: "${registries.htpasswd.host}/${name}", secret: dev, protect: ["v*"] }
  token: { uri: "${registries.token.host}/${name}", secret: dev }
secrets:
  dev: { username: "${LabUser.dev.username}", password: { env: DEV_PASSWORD } }
pushes:
  - source: ${name}/app:\${VERSION:-1}
    to: ["@open/app", "@login/app", "@token/app"]
    tags: ["v1", "latest"]
  - { source: "${name}/worker:1", to: "@open/worker" }
${more}`
  yield* Effect.promise(() => writeFile(path, text))
  return path
})

const batch = Effect.fnUntraced(function* (file: string, ...options: ReadonlyArray<string>) {
  const { engine } = yield* LiveStack
  const report = join(yield* temporaryFolder, "report.json")
  const environment = { DEV_PASSWORD: LabUser.dev.password }
  const { requests, result, writes } = yield* observed(
    run(["batch", file, "--report", report, ...options], { engine, environment })
  )
  const { results } = result.code === 2 ? { results: [] } : yield* readReport(report)
  const statuses = results.map(({ error, status }) => [status, error?.["reason"]].filter(Boolean).join(" "))
  return { ...result, results, statuses, requests, writes }
})

describeLive("gantry batch of a file with an open, a htpasswd and a token registry", (it) => {
  it.scoped("pushes all of it once, finds it unchanged, and keeps what is protected or exists", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const name = yield* versions
      const file = yield* stackFile(name)
      const digestOf = (kind: "open" | "htpasswd" | "token", image: string) =>
        Effect.map(
          skopeoInspect(`${registries[kind].host}/${name}/${image}`, kind === "open" ? undefined : LabUser.dev),
          ({ digest }) => digest
        )
      const all = Effect.all([
        ...(["open", "htpasswd", "token"] as const).flatMap((kind) => [
          digestOf(kind, "app:v1"),
          digestOf(kind, "app:latest")
        ]),
        digestOf("open", "worker:1")
      ])

      const foreseen = yield* batch(file, "--dry-run")
      assert.deepStrictEqual(
        [foreseen.code, new Set(foreseen.statuses), foreseen.writes],
        [0, new Set(["would-push"]), []]
      )

      const first = yield* batch(file)
      assert.deepStrictEqual(first.statuses, Array(7).fill("pushed"), first.stderr)
      assert.strictEqual(first.code, 0)
      const ones = yield* all
      assert.deepStrictEqual(
        first.results.map(({ digest }) => digest),
        ones
      )

      const second = yield* batch(file)
      assert.deepStrictEqual([second.code, second.statuses, second.writes], [0, Array(7).fill("unchanged"), []])

      const next = ["--set", "VERSION=2"]
      const failed = yield* batch(file, ...next, "--on-existing", "fail")
      const exists = ["failed on-existing", "failed on-existing"]
      const kept = ["failed protected", "failed on-existing"]
      assert.deepStrictEqual([failed.code, failed.statuses], [1, [...exists, ...kept, ...exists, "unchanged"]])
      const skipped = yield* batch(file, ...next, "--on-existing", "skip")
      assert.deepStrictEqual([skipped.code, skipped.statuses], [0, [...Array(6).fill("skipped"), "unchanged"]])
      assert.deepStrictEqual([...failed.writes, ...skipped.writes], [])
      assert.deepStrictEqual(yield* all, ones)

      const chosen = yield* batch(file, ...next, "--only", "@token/*", "--only", "@login/*", "--only", "!*:latest")
      assert.deepStrictEqual([chosen.code, chosen.statuses], [1, ["failed protected", "pushed"]])
      const wouldBe = yield* batch(file, ...next, "--dry-run", "--only", "@login/*")
      assert.deepStrictEqual([wouldBe.code, wouldBe.statuses], [1, ["would-fail protected", "would-overwrite"]])
      const [two] = chosen.results.flatMap(({ digest }) => digest ?? [])
      const [open, openLatest, login, loginLatest, , tokenLatest, worker] = ones
      assert.deepStrictEqual(yield* all, [open, openLatest, login, loginLatest, two, tokenLatest, worker])
    })
  )

  it.scoped("asks no registry for anything when two images want one name, or a target has no registry", () =>
    Effect.gen(function* () {
      const name = yield* versions
      for (const push of [`{ source: "${name}/app:2", to: "@open/worker:1" }`, `{ source: x:1, to: 127.0.0.1:1/x }`]) {
        const { code, requests, stderr, stdout } = yield* batch(yield* stackFile(name, `  - ${push}\n`))
        assert.deepStrictEqual([code, stdout, requests], [2, "", []], stderr)
      }
    })
  )

  it.scoped("is what the example program does: the second of the two finds everything unchanged", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const name = uniqueRepository("example")
      const version = name.replace(/^.*-/, "1.4.2-")
      const load = (tag: string) => loadedImage(engine, { tags: [tag], layers: [{ seed: tag, size: 50_000 }] })
      yield* Effect.forEach([`app:${version}`, `worker:${version}`], load)
      const environment = {
        VERSION: version,
        PROD: `${registries.token.host}/${name}`,
        MIRROR: `${registries.open.host}/${name}`,
        PROD_USERNAME: LabUser.dev.username,
        PROD_PASSWORD: LabUser.dev.password
      }
      const program = Effect.promise(
        () =>
          new Promise<string>((resolve) =>
            execFile(
              process.execPath,
              ["--import", "tsx", example("release.ts")],
              { cwd: root, env: { PATH: process.env["PATH"], DOCKER_HOST: engine.host, ...environment } },
              (_error, stdout, stderr) => resolve(stdout + stderr)
            )
          )
      )
      const report = join(yield* temporaryFolder, "report.json")
      const statuses = (said: string) => [...said.matchAll(/: (pushed|unchanged) /g)].map(([, status]) => status)
      const said = yield* program
      assert.deepStrictEqual(statuses(said), Array(5).fill("pushed"), said)
      const { code, stderr } = yield* run(["batch", example("gantry.yaml"), "--report", report], {
        engine,
        environment
      })
      assert.strictEqual(code, 0, stderr)
      const { results } = yield* readReport(report)
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        Array(5).fill("unchanged")
      )
    })
  )
})
