// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions and variables are what is tested
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parse, stringify } from "yaml"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import { bin, run, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, uniqueRepository } from "./support/stack.ts"
import { type EndedStep, readWorkflow, runWorkflow } from "./support/workflow.ts"

const example = (name: string) =>
  fileURLToPath(new URL(`../../scripts/examples/github-actions/${name}`, import.meta.url))

const golden = (name: string) =>
  Effect.promise(() => readFile(new URL(`golden/${name}`, import.meta.url), { encoding: "utf8" }))

const program = (path: string, script: string) => writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })

/** The programs that a step finds beside the machine's own: what was built here, which therefore is not to be installed. */
const programs = Effect.flatMap(temporaryFolder, (folder) =>
  Effect.promise(async () => {
    await program(join(folder, "gantry"), `exec "${process.execPath}" "${bin}" "$@"`)
    await program(join(folder, "npm"), `test "$1 $2 $3" = "install --global gantry"`)
    return folder
  })
)

/** A repository of which the example's file is the configuration, but for where its registries are. */
const checkout = Effect.fnUntraced(function* (name: string, more: ReadonlyArray<unknown>) {
  const { registries } = yield* LiveStack
  const folder = yield* temporaryFolder
  const text = yield* Effect.promise(() => readFile(example("gantry.yaml"), "utf8"))
  const { connectors: _, pushes, registries: known, ...file } = parse(text)
  const config = {
    ...file,
    registries: {
      prod: { uri: `${registries.open.host}/${name}` },
      mirror: { ...known.mirror, uri: `${registries.htpasswd.host}/${name}` }
    },
    pushes: [...pushes, ...more]
  }
  yield* Effect.promise(async () => {
    await writeFile(join(folder, "gantry.yaml"), stringify(config))
    for (const image of ["app", "worker"]) {
      await mkdir(join(folder, image))
      await writeFile(join(folder, image, "Dockerfile"), `FROM scratch\nCOPY Dockerfile /${name}/${image}\n`)
    }
  })
  return folder
})

const images = ["app", "worker"]

/** Runs the example, with more pushes than it has, and gives what the runner saw of it, masked. */
const release = Effect.fnUntraced(function* (more: ReadonlyArray<unknown> = []) {
  const { engine, registries } = yield* LiveStack
  const name = uniqueRepository("ci")
  const version = name.replace(/^.*-/, "v1.4.2-")
  const folder = yield* checkout(name, more)
  yield* Effect.addFinalizer(() =>
    Effect.forEach(images, (image) => Effect.ignore(engine.api.remove(`${image}:${version}`)))
  )
  const steps = yield* runWorkflow(example("release.yaml"), {
    folder,
    variables: {
      PATH: `${yield* programs}:${process.env["PATH"]}`,
      HOME: yield* temporaryFolder,
      DOCKER_HOST: engine.host,
      GITHUB_ACTOR: LabUser.dev.username
    },
    contexts: { github: { ref_name: version }, secrets: { GITHUB_TOKEN: LabUser.dev.password } }
  })
  // In an annotation's title a colon is escaped.
  const hosts = { OPEN: registries.open.host, HTPASSWD: registries.htpasswd.host }
  const masks = Object.entries(hosts).flatMap(([word, host]) =>
    [host, host.replace(":", "%3A")].map((to) => [to, word])
  )
  const mask = (text: string): string =>
    masks
      .reduce((before, [host = "", word = ""]) => before.replaceAll(host, word), text)
      .replaceAll(version, "VERSION")
      .replaceAll(name, "NAME")
      .replaceAll(engine.host, "ENGINE")
      .replace(/sha256:[0-9a-f]{64}/g, "DIGEST")
      .replace(/\b(\d+ min )?\d+(\.\d+)? m?s\b/g, "TIME")
      .replace(/"(startedAt|durationMs|bytes\w+)":("[^"]*"|[\d.]+)/g, '"$1":"…"')
  const report = yield* Effect.promise(() => readFile(join(folder, "gantry.xml"), "utf8"))
  const password = LabUser.dev.password
  for (const { stderr, stdout, summary } of steps) assert.notInclude(stdout + stderr + summary + report, password)
  return { report, shown: steps.filter(isShown).map(show(mask)).join("\n") }
})

/** What a build says is Docker's, unless it fails. */
const isShown = ({ code, name }: EndedStep) => code !== 0 || (name !== "Build" && name !== "Install gantry")

/** Pushes run at once, so the order of what they say changes; progress is told of those that take 10 seconds. */
const lasting = (text: string): ReadonlyArray<string> =>
  text
    .trimEnd()
    .split("\n")
    .filter((line) => !/: \d+ layers? done/.test(line))
    .sort()

const show =
  (mask: (text: string) => string) =>
  ({ code, commands, name, outputs, stderr, stdout, summary }: EndedStep): string =>
    [
      `# ${name}: exit ${code}`,
      "stdout:",
      mask(stdout),
      "stderr, sorted:",
      `${lasting(mask(stderr)).join("\n")}\n`,
      "annotations:",
      ...commands.map(({ data, name, properties }) => `${name} ${mask(`${JSON.stringify(properties)} ${data}`)}`),
      "",
      "outputs:",
      ...Object.entries(outputs).map(([name, value]) => `${name}=${mask(value)}`),
      "",
      "summary:",
      mask(summary)
    ].join("\n")

describeLive("the example workflow of GitHub Actions", (it) => {
  it.scoped("pushes, moves a tag and deploys its digest, with summaries and outputs as in the golden file", () =>
    Effect.gen(function* () {
      const { report, shown } = yield* release()
      assert.strictEqual(shown, yield* golden("github-actions.txt"))
      assert.include(report, 'tests="3" failures="0"')
    })
  )

  it.scoped("annotates an image that is missing, pushes the others, and stops there, as in the golden file", () =>
    Effect.gen(function* () {
      const { report, shown } = yield* release([{ source: "migrations:${VERSION}", to: "@prod/migrations" }])
      assert.strictEqual(shown, yield* golden("github-actions-failure.txt"))
      assert.include(report, 'tests="4" failures="1"')
    })
  )

  it.scoped("has a file that gantry finds nothing wrong with, and may ask for the id token that it needs", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["config", "check", example("gantry.yaml"), "--set", "VERSION=v1"])
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include((yield* readWorkflow(example("release.yaml"))).permissions, { "id-token": "write" })
    })
  )
})
