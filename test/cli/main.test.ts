import { type ChildProcess, spawn } from "node:child_process"
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { Metafile } from "esbuild"
import { afterAll, beforeAll } from "vitest"
import { bundle } from "../../scripts/lib/build.ts"

// The program as users run it: bundled, in a process of its own.
const root = fileURLToPath(new URL("../..", import.meta.url))
// Below the repository, so that the bundle finds its one dependency.
const folder = mkdtempSync(join(root, "node_modules", ".gantry-test-"))
const scratch = mkdtempSync(join(tmpdir(), "gantry-"))
let metafile: Metafile

beforeAll(async () => {
  metafile = await bundle(relative(root, folder))
}, 60_000)

afterAll(() => {
  for (const made of [folder, scratch]) rmSync(made, { recursive: true, force: true })
})

const start = (
  args: ReadonlyArray<string>,
  environment: Record<string, string> = {},
  directory: string = scratch,
  stdout: "pipe" | number = "pipe"
): ChildProcess =>
  spawn(process.execPath, [join(folder, "gantry.js"), ...args], {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: scratch, ...environment },
    stdio: ["ignore", stdout, "pipe"]
  })

const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
  const chunks: Array<string> = []
  stream?.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk))
  return () => chunks.join("")
}

const ended = (child: ChildProcess) => {
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  return new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout: stdout(), stderr: stderr() }))
  })
}

const gantry = (args: ReadonlyArray<string>, environment?: Record<string, string>) => ended(start(args, environment))

const nowhere = { DOCKER_HOST: "unix:///nonexistent/docker.sock" }

describe("the program", { timeout: 60_000 }, () => {
  it("shows help and version on stdout", async () => {
    const help = await gantry(["--help"])
    assert.deepStrictEqual([help.code, help.stderr], [0, ""])
    assert.include(help.stdout, "Usage: gantry")
    const version = await gantry(["--version"])
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
  })

  it("starts again with what it compiled, unless Node.js is told to keep nothing", async () => {
    const cache = join(scratch, "cache")
    const environment = { XDG_CACHE_HOME: cache }
    assert.strictEqual((await gantry(["--version"], { ...environment, NODE_DISABLE_COMPILE_CACHE: "1" })).code, 0)
    assert.isFalse(existsSync(cache))
    const first = await gantry(["--version"], environment)
    const [kept = ""] = readdirSync(join(cache, "gantry"))
    assert.match(kept, /^gantry-[A-Z0-9]+\.cjs-v/)
    assert.deepStrictEqual(await gantry(["--version"], environment), first)
    await gantry(["nope"], environment)
    await gantry(["--password=hunter2", "--help"], environment)
    const [words] = readFileSync(join(cache, "gantry", kept), "latin1").split("\n")
    assert.notMatch(words ?? "", /nope|hunter2/)
  })

  it("starts where the user has no home", async () => {
    const here = join(scratch, "homeless")
    mkdirSync(here)
    for (const HOME of ["", "not/absolute"]) {
      const { code, stderr } = await ended(start(["--version"], { HOME }, here))
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(readdirSync(here), [])
    }
  })

  it("says what is wrong with its arguments on stderr only, and exits 2", async () => {
    for (const args of [["nope"], ["push"], ["push", "app:1", "--nope"], ["push", "app:1", "--password", "hunter2"]]) {
      const { code, stderr, stdout } = await gantry(args)
      assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
      assert.match(stderr, /^gantry: /)
      assert.notInclude(stderr, "hunter2")
    }
  })

  it("exits 1 and says why when its result does not fit on the disk, and not when its reader has gone", async () => {
    const full = openSync("/dev/full", "w")
    const { code, stderr } = await ended(start(["--version"], {}, scratch, full))
    closeSync(full)
    assert.strictEqual(code, 1)
    assert.match(stderr, /^gantry: Standard output could not be written \(ENOSPC.*\)\. Make room for it/)

    const abandoned = start(["--version"])
    abandoned.stdout?.destroy()
    assert.strictEqual((await ended(abandoned)).code, 0)
  })

  it("exits 4 without an engine, names its socket and where that came from, and writes the report", async () => {
    const report = join(scratch, "no-engine.json")
    const { code, stderr, stdout } = await gantry(
      ["push", "localhost:5000/app:1", "--retries", "0", "--report", report],
      nowhere
    )
    assert.deepStrictEqual([code, stdout], [4, ""])
    assert.include(stderr, "unix:///nonexistent/docker.sock (from DOCKER_HOST)")
    assert.notMatch(stderr, /\n\s+at /)
    assert.strictEqual(JSON.parse(readFileSync(report, "utf8")).results[0].error._tag, "EngineUnavailable")
  })

  it("ends its request to the engine on SIGINT, writes the report and exits 130", async () => {
    const socket = join(scratch, "engine.sock")
    const report = join(scratch, "interrupted.json")
    const connected = withResolvers()
    const closed = withResolvers()
    const engine = createServer((connection) => {
      connection.on("data", () => connected.resolve())
      connection.on("error", () => {})
      connection.on("close", () => closed.resolve())
    })
    await new Promise<void>((resolve) => engine.listen(socket, resolve))
    const child = start(["push", "localhost:5000/app:1", "--report", report], { DOCKER_HOST: `unix://${socket}` })
    const end = ended(child)
    await connected.promise
    child.kill("SIGINT")
    const { code, stdout } = await end
    await closed.promise
    await new Promise((resolve) => engine.close(resolve))
    assert.deepStrictEqual([code, stdout], [130, ""])
    assert.strictEqual(JSON.parse(readFileSync(report, "utf8")).cancelled, 1)
  })

  it("verifies without an engine, and exits 5 where nothing listens", async () => {
    const { code, stderr, stdout } = await gantry(["verify", "127.0.0.1:1"], { DOCKER_HOST: "nonsense" })
    assert.deepStrictEqual([code, stderr], [5, ""])
    assert.match(stdout, /^failed {2}127\.0\.0\.1:1 {2}answers: no {2}credential: none .*nothing listens there/)
  })

  it("ends a verification on SIGINT and exits 130", async () => {
    const asked = withResolvers()
    const registry = createServer((connection) => {
      connection.on("error", () => {})
      connection.on("data", () => asked.resolve())
    })
    const port = await new Promise<number>((resolve) =>
      registry.listen(0, "127.0.0.1", () => resolve((registry.address() as AddressInfo).port))
    )
    const child = start(["verify", `127.0.0.1:${port}`])
    const end = ended(child)
    await asked.promise
    child.kill("SIGINT")
    const { code, stdout } = await end
    await new Promise((resolve) => registry.close(resolve))
    assert.deepStrictEqual([code, stdout], [130, ""])
  })

  it("finds the file above its working directory, and says where it is wrong", async () => {
    const project = join(scratch, "project")
    mkdirSync(join(project, "src", "deep"), { recursive: true })
    writeFileSync(join(project, "gantry.yaml"), "version: 1\nregistries:\n  here: { url: reg.test }\n")
    const child = start(["config", "check"], {}, join(project, "src", "deep"))
    const { code, stderr, stdout } = await ended(child)
    assert.deepStrictEqual([code, stdout], [2, ""])
    assert.match(stderr, /^\/.*\/project\/gantry\.yaml:3:\d+: /)
  })

  it("is calm when nobody reads what it writes", async () => {
    const child = start(["push", "localhost:5000/app:1", "--retries", "0", "--output", "json"], nowhere)
    child.stdout?.destroy()
    const { code, stderr } = await ended(child)
    assert.strictEqual(code, 4)
    assert.notInclude(stderr, "EPIPE")
  })

  it("loads neither the engine nor what only a push needs before there is a push", () => {
    // One file holds all modules; those that are imported by `import()` alone run when that is.
    const { inputs } = metafile
    const modules = new Set<string>()
    const visit = (path: string): void => {
      if (modules.has(path)) return
      modules.add(path)
      for (const found of inputs[path]?.imports ?? []) if (found.kind !== "dynamic-import") visit(found.path)
    }
    visit("src/cli/main.ts")
    assert.include([...modules], "src/cli/application.ts")
    assert.isFalse(modules.has("dockerode"))
    for (const library of ["yaml", "@effect/opentelemetry"]) {
      assert.isFalse(
        [...modules].some((path) => path.includes(`node_modules/${library}/`)),
        library
      )
    }
    for (const heavy of [
      "src/cli/PushRun.ts",
      "src/cli/VerifyRun.ts",
      "src/cli/internal/otlp.ts",
      "src/config/GantryFile.ts",
      "src/engine/internal/nodeEngine.ts",
      "src/runtime/PushSupervisor.ts"
    ]) {
      assert.isFalse(modules.has(heavy), heavy)
      assert.isTrue(heavy in inputs, heavy)
    }
  })
})

const withResolvers = () => {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
