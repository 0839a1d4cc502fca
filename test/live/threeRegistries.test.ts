import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import type { Result } from "../../src/cli/Report.ts"
import { PushEvent } from "../../src/push/PushEvent.ts"
import { readReport, start, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const count = 60

const putManifest = { method: "PUT", path: /\/manifests\// }

/** In the words of Amazon's registry: https://github.com/containerd/containerd/issues/10447 */
const tooMany = FaultProxy.Fault.Answer({
  status: 429,
  headers: { "retry-after": "3", "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "Rate exceeded" }] })
})

/** Every tenth manifest is refused, so that 59 are taken when 65 were sent. */
const throttles = 6

const missing = count / 2

const decodeEvents = Schema.decodeUnknown(Schema.Array(Schema.parseJson(PushEvent)))

const readEvents = (file: string) =>
  Effect.promise(() => readFile(file, "utf8")).pipe(
    Effect.flatMap((text) => decodeEvents(text.trimEnd().split("\n"))),
    Effect.orDie
  )

/** The first registry can be killed; each is asked through a proxy that nobody else uses. */
const threeRegistries = Effect.gen(function* () {
  const { htpasswd, token } = (yield* LiveStack).registries
  const mortal = yield* Stack.registry("open")
  const open = yield* FaultProxy.make({ target: mortal.host })
  const login = yield* FaultProxy.make({ target: htpasswd.host })
  const throttled = yield* FaultProxy.make({
    target: token.host,
    rules: [{ ...putManifest, every: 10, fault: tooMany }]
  })
  const inspect = (target: string) => {
    const [host, path] = target.split(/\/(.*)/)
    if (host === open.host) return skopeoInspect(`${mortal.host}/${path}`)
    return skopeoInspect(`${host === login.host ? htpasswd.host : token.host}/${path}`, LabUser.dev)
  }
  return { mortal, open, login, throttled, inspect }
})

type Proxies = Pick<Effect.Effect.Success<typeof threeRegistries>, "open" | "login" | "throttled">

const batchFile = (name: string, { login, open, throttled }: Proxies, others: ReadonlyArray<string>) =>
  [
    "version: 1",
    "registries:",
    `  open: { uri: "${open.host}/${name}" }`,
    `  login: { uri: "${login.host}/${name}", secret: dev }`,
    `  throttled: { uri: "${throttled.host}/${name}", secret: dev }`,
    "secrets:",
    "  dev: { username: { env: DEV_USERNAME }, password: { env: DEV_PASSWORD } }",
    "pushes:",
    ...Array.makeBy(count, (index) => {
      const targets = ["open", "login", "throttled"].map((registry) => `"@${registry}/app-${index}"`)
      return `  - { source: "${name}/app-${index}:v1", to: [${targets}] }`
    }),
    ...others
  ].join("\n")

/** `gantry batch` with the file of a batch, and what it left. */
const batchOf = Effect.fnUntraced(function* (name: string, proxies: Proxies, others: ReadonlyArray<string> = []) {
  const { engine } = yield* LiveStack
  const folder = yield* temporaryFolder
  const file = join(folder, "gantry.yaml")
  const report = join(folder, "report.json")
  const events = join(folder, "events.ndjson")
  yield* Effect.promise(() => writeFile(file, batchFile(name, proxies, others)))
  return {
    // Enough retries to outlast a restart on a busy machine: the waits are random, and the first ones short.
    start: start(["batch", file, "--retries", "8", "--progress", "none", "--report", report, "--events", events], {
      engine,
      environment: { DEV_USERNAME: LabUser.dev.username, DEV_PASSWORD: LabUser.dev.password }
    }),
    report: readReport(report),
    events: readEvents(events)
  }
})

/** The images of the batch in the engine, but for one. */
const loadedImages = Effect.fnUntraced(function* (name: string) {
  const { engine } = yield* LiveStack
  const load = (image: string) =>
    loadedImage(engine, {
      tags: [image],
      layers: [
        { seed: name, size: 100_000 },
        { seed: image, size: 10_000 }
      ]
    })
  const images = Array.makeBy(count, (index) => `${name}/app-${index}:v1`)
  yield* Effect.forEach(Array.remove(images, missing), load, { concurrency: 4 })
})

const requestsTo = (proxies: ReadonlyArray<FaultProxy.FaultProxy>) =>
  Effect.map(
    Effect.forEach(proxies, ({ requests }) => requests),
    Array.flatten
  )

/** What skopeo finds under each name. */
const digestsOf = (targets: ReadonlyArray<string>, inspect: (target: string) => ReturnType<typeof skopeoInspect>) =>
  Effect.forEach(
    targets,
    (target) =>
      inspect(target).pipe(
        Effect.map(({ digest }) => digest),
        Effect.orElseSucceed(() => undefined)
      ),
    { concurrency: 3 }
  )

type Events = ReadonlyArray<PushEvent>

/** The events of each pause, from `RegistryPaused` to `RegistryResumed`. */
const pausesIn = (events: Events): ReadonlyArray<Events> =>
  events.flatMap((event, index) => {
    if (event._tag !== "RegistryPaused") return []
    const rest = events.slice(index)
    return [rest.slice(0, rest.findIndex(({ _tag }) => _tag === "RegistryResumed") + 1)]
  })

/** Of which registry each push is. */
const hostsIn = (events: Events) =>
  new Map(events.flatMap((event) => (event._tag === "PushQueued" ? [[event.pushId, event.registry] as const] : [])))

const ends: ReadonlySet<string> = new Set(["PushCompleted", "PushFailed", "PushCrashed", "PushCancelled"])

const lives = (events: Events) =>
  Object.values(
    Array.groupBy(
      events.flatMap((event) => ("pushId" in event ? [event] : [])),
      ({ pushId }) => pushId
    )
  )

const assertOneLifeEach = (events: Events, results: ReadonlyArray<Result>) => {
  const each = lives(events)
  assert.strictEqual(each.length, results.length)
  for (const [index, life] of each.entries()) {
    const tags = life.map(({ _tag }) => _tag)
    assert.strictEqual(tags[0], "PushQueued")
    assert.deepStrictEqual(
      tags.filter((tag) => ends.has(tag)),
      tags.slice(-1)
    )
    const retries = tags.filter((tag) => tag === "PushRetrying").length
    assert.strictEqual(results[index]?.attempts, retries + 1, results[index]?.target)
  }
}

/** Each 429 is one pause and one retry; in a pause nothing starts there, and elsewhere pushes go on. */
const assertPauses = (events: Events, throttled: string) => {
  const hosts = hostsIn(events)
  const pauses = pausesIn(events)
  assert.strictEqual(pauses.length, throttles)
  assert.strictEqual(events.filter(({ _tag }) => _tag === "RegistryResumed").length, throttles)
  for (const pause of pauses) {
    const [paused, retrying, ...others] = pause
    const resumed = others.at(-1)
    if (paused?._tag !== "RegistryPaused" || retrying?._tag !== "PushRetrying" || resumed?._tag !== "RegistryResumed") {
      return assert.fail(`a pause of other events: ${pause.map(({ _tag }) => _tag)}`)
    }
    // What the registry asked for stays with the engine.
    assert.deepStrictEqual([paused.registry, paused.source], [throttled, "estimate"])
    assert.strictEqual(resumed.registry, throttled)
    assert.strictEqual(retrying.error._tag, "RegistryRateLimited")
    assert.strictEqual(hosts.get(retrying.pushId), throttled)
    const lasted = resumed.at.epochMillis - paused.at.epochMillis
    assert.isAtLeast(lasted, Duration.toMillis(paused.delay))
    const begun = others.filter((event) => event._tag === "PushStarted" && hosts.get(event.pushId) === throttled)
    assert.deepStrictEqual(begun, [])
  }
  const meanwhile = new Set(
    pauses[0]?.flatMap((event) => (event._tag === "PushCompleted" ? [hosts.get(event.pushId)] : []))
  )
  assert.isAbove(Array.fromIterable(meanwhile).filter((host) => host !== throttled).length, 0)
}

const assertOnlyMissingFailed = (results: ReadonlyArray<Result>) => {
  for (const { error, status, target } of results) {
    const isMissing = target.endsWith(`/app-${missing}:v1`)
    assert.strictEqual(status, isMissing ? "failed" : "pushed", `${target}: ${error?.message}`)
    assert.strictEqual(error?._tag, isMissing ? "ImageNotFound" : undefined)
  }
}

const retriesByHost = (events: Events) => {
  const hosts = hostsIn(events)
  const retries = events.flatMap((event) => (event._tag === "PushRetrying" ? [hosts.get(event.pushId) ?? ""] : []))
  return Record.map(
    Array.groupBy(retries, (host) => host),
    Array.length
  )
}

describeLive(`a batch of ${count} images to an open, a htpasswd and a token registry`, (it) => {
  it.scoped("asks none of them for anything when one target of the plan is no registry's", () =>
    Effect.gen(function* () {
      const { tokenServer } = yield* LiveStack
      const { login, mortal, open, throttled } = yield* threeRegistries
      const stranger = yield* FaultProxy.make({ target: mortal.host })
      const name = uniqueRepository("three")
      const target = `${stranger.host}/${name}/app-0:v1`
      const batch = yield* batchOf(name, { open, login, throttled }, [`  - { source: "x:1", to: "${target}" }`])
      const { code, stderr, stdout } = yield* Effect.flatMap(batch.start, ({ ended }) => ended)
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.include(stderr, target)
      assert.deepStrictEqual(yield* requestsTo([open, login, throttled, stranger]), [])
      const scopes = (yield* tokenServer.requests).flatMap(({ scopes }) => scopes)
      assert.deepStrictEqual(
        scopes.filter((scope) => scope.includes(name)),
        []
      )
    })
  )

  it.scoped("outlives a restart and a throttle, loses only the image that is missing, and sends nothing again", () =>
    Effect.gen(function* () {
      const { inspect, login, mortal, open, throttled } = yield* threeRegistries
      const proxies = [open, login, throttled]
      const name = uniqueRepository("three")
      yield* loadedImages(name)
      const batch = yield* batchOf(name, { open, login, throttled })

      const half = { ...putManifest, nth: count / 2 }
      // Cut here too, so that one push at least is lost with the registry, however fast it comes back.
      yield* open.add({ ...half, fault: FaultProxy.Fault.CutRequest({ afterBytes: 0 }) })
      const { ended } = yield* batch.start
      yield* Effect.raceFirst(open.waitFor(half), ended)
      yield* mortal.kill
      yield* mortal.start
      const first = yield* ended
      assert.strictEqual(first.code, 1, first.stderr)
      const { results, ...counts } = yield* batch.report
      assert.deepInclude(counts, { total: 3 * count, pushed: 3 * count - 3, failed: 3, cancelled: 0 })
      const targets = Array.makeBy(count, (index) =>
        proxies.map(({ host }) => `${host}/${name}/app-${index}:v1`)
      ).flat()
      assert.deepStrictEqual(
        results.map(({ target }) => target),
        targets
      )
      assertOnlyMissingFailed(results)

      const events = yield* batch.events
      assertOneLifeEach(events, results)
      assertPauses(events, throttled.host)
      const refused = (yield* throttled.requests).filter(({ fault }) => fault === "Answer")
      assert.strictEqual(refused.length, throttles)
      const retried = retriesByHost(events)
      assert.isAbove(retried[open.host] ?? 0, 0, "one was tried again after the restart")
      assert.deepStrictEqual([retried[login.host], retried[throttled.host]], [undefined, throttles])

      const digests = yield* digestsOf(targets, inspect)
      assert.deepStrictEqual(
        results.map(({ digest }) => digest),
        digests
      )
      const lines = Array.zipWith(targets, digests, (target, digest) =>
        digest === undefined ? "" : `${target.slice(0, -":v1".length)}@${digest}\n`
      )
      assert.strictEqual(first.stdout, lines.join(""))

      yield* Effect.forEach(proxies, ({ forget }) => forget)
      const second = yield* Effect.flatMap(batch.start, ({ ended }) => ended)
      assert.deepStrictEqual([second.code, second.stdout], [1, first.stdout], second.stderr)
      const again = yield* batch.report
      assert.deepInclude(again, { total: 3 * count, unchanged: 3 * count - 3, failed: 3 })
      assert.deepStrictEqual(
        again.results.map(({ digest }) => digest),
        digests
      )
      const asked = Array.groupBy(yield* requestsTo(proxies), ({ method, status }) => `${method} ${status}`)
      assert.deepStrictEqual(Object.keys(asked).toSorted(), ["GET 200", "GET 401"])
      assert.strictEqual(asked["GET 200"]?.length, 3 * count - 3, "one question for each image")
      assert.isAtMost(asked["GET 401"]?.length ?? 0, 2 * 4, "a challenge for each of those that begin at once")
    })
  )
})
