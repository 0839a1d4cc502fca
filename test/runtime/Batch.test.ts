import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import { RegistryUnauthorized } from "../../src/distribution/RegistryError.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as Batch from "../../src/runtime/Batch.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"

const uris = { prod: "acme.azurecr.io", mirror: "ghcr.io/acme", hub: "docker.io/acme" }
const registries = Object.fromEntries(
  Object.entries(uris).map(([name, uri]) => [name, { uri: RegistryUri.unsafeParse(uri) }])
)

const anywhere = (batch: Batch.Batch) => Batch.planWith(batch, { registries, hosts: "any" })

const pairsOf = ({ pushes }: Batch.BatchPlan) => pushes.map(({ source, target }) => `${source} ${target}`)

const pairs = (...pushes: ReadonlyArray<Batch.BatchPush>) => pairsOf(Either.getOrThrow(anywhere(Batch.make(pushes))))

const problemsOf = (batch: Batch.Batch) => Either.getOrThrow(Either.flip(anywhere(batch))).problems

const problems = (...pushes: ReadonlyArray<Batch.BatchPush>) => problemsOf(Batch.make(pushes))

const tagsOf = (found: ReadonlyArray<Batch.BatchProblem>) => found.map(({ _tag }) => _tag)

describe("Batch.planWith", () => {
  it("pushes an image to its own name when there is no target", () => {
    assert.deepStrictEqual(pairs({ source: "localhost:5000/a:1" }, { source: "docker://reg.io/b" }), [
      "docker://localhost:5000/a:1 localhost:5000/a:1",
      "docker://reg.io/b:latest reg.io/b:latest"
    ])
  })

  it("pushes to every target with every tag, push by push", () => {
    const release = { source: "app:1", to: ["@prod/app", "ghcr.io/acme/app"], tags: ["1.4", "latest"] }
    assert.deepStrictEqual(pairs(release, { source: "b:2", to: "@mirror/b" }), [
      "docker://docker.io/library/app:1 acme.azurecr.io/app:1.4",
      "docker://docker.io/library/app:1 acme.azurecr.io/app:latest",
      "docker://docker.io/library/app:1 ghcr.io/acme/app:1.4",
      "docker://docker.io/library/app:1 ghcr.io/acme/app:latest",
      "docker://docker.io/library/b:2 ghcr.io/acme/b:2"
    ])
  })

  it("gives a target with no tag the source's tag, else latest", () => {
    const to = "reg.io/x"
    assert.deepStrictEqual(pairs({ source: "oci:./layout#1.4", to }), ["oci:./layout#1.4 reg.io/x:1.4"])
    assert.deepStrictEqual(pairs({ source: "docker-archive:./f.tar#app:7", to }), [
      "docker-archive:./f.tar#app:7 reg.io/x:7"
    ])
    assert.deepStrictEqual(pairs({ source: "registry://reg.io/a:3", to }), ["registry://reg.io/a:3 reg.io/x:3"])
    assert.deepStrictEqual(pairs({ source: "oci:./layout", to }), ["oci:./layout reg.io/x:latest"])
    assert.deepStrictEqual(pairs({ source: "a:1", to: "reg.io/x:2" }), ["docker://docker.io/library/a:1 reg.io/x:2"])
  })

  it("joins equal pushes, however they are spelled", () => {
    const alpine = "docker://docker.io/library/alpine:latest"
    assert.deepStrictEqual(pairs({ source: "alpine" }, { source: alpine }), [
      `${alpine} docker.io/library/alpine:latest`
    ])
    assert.deepStrictEqual(pairs({ source: "a:1", to: ["@mirror/a", "GHCR.io/acme/a:1"] }), [
      "docker://docker.io/library/a:1 ghcr.io/acme/a:1"
    ])
  })

  it("refuses two images for one target and names them all: sources, or platforms of one", () => {
    const [problem, ...others] = problems(...["a:1", "b:1", "c:1"].map((source) => ({ source, to: "reg.io/x" })))
    assert.deepStrictEqual(others, [])
    for (const name of ["reg.io/x:1", "library/a:1", "library/b:1", "library/c:1"]) {
      assert.include(problem?.message, name)
    }
    const platforms = ["linux/amd64", "linux/arm64"].map((platform) => ({ source: "a:1", platform }))
    assert.include(
      problems(...platforms)[0]?.message,
      "library/a:1 (linux/amd64), docker://docker.io/library/a:1 (linux/arm64)"
    )
  })

  it("refuses what has no whole name to go to", () => {
    for (const source of ["oci:./layout", "registry://reg.io/a:1", `app@sha256:${"a".repeat(64)}`]) {
      assert.include(problems({ source })[0]?.message, "--to")
    }
    assert.include(problems({ source: "oci:./layout#a/b", to: "reg.io/x" })[0]?.message, "tag")
    assert.include(problems({ source: "a:1", to: "reg.io/x:1", tags: "2" })[0]?.message, "reg.io/x:1 has a tag already")
  })

  it("says everything that is wrong at once, and nothing of what follows from it", () => {
    const to = ["@prdo/app", "reg.io/App"]
    const found = problemsOf(
      Batch.make([{ source: "a:1", to }, { source: "A:1" }, { source: "b:1", to: "@prod/b", tags: "a b" }], {
        only: ["nothing"]
      })
    )
    assert.deepStrictEqual(tagsOf(found), [
      "RegistryNotInFile",
      "InvalidImageReference",
      "InvalidImageReference",
      "InvalidImageReference"
    ])
  })

  it("refuses targets that no registry owns, unless any host will do", () => {
    const batch = Batch.make([{ source: "a:1", to: ["@prod/a", "ghcr.io/acme-corp/a", "other.io/a"] }])
    const found = Either.getOrThrow(Either.flip(Batch.planWith(batch, { registries, hosts: "registered" }))).problems
    assert.deepStrictEqual(tagsOf(found), ["NoMatchingRegistry", "NoMatchingRegistry"])
    assert.deepStrictEqual(Either.getOrThrow(anywhere(batch)).hosts, ["acme.azurecr.io", "ghcr.io", "other.io"])
  })

  it("plans sources × targets, or says that targets conflict, for any sources and targets", () => {
    const sources = FastCheck.uniqueArray(FastCheck.constantFrom("a:1", "b:1", "b:2", "c:3"), { minLength: 1 })
    const targets = FastCheck.uniqueArray(FastCheck.constantFrom("reg.io/x", "reg.io/y", "other.io/x"), {
      minLength: 1
    })
    FastCheck.assert(
      FastCheck.property(sources, targets, (sources, to) => {
        const plan = anywhere(Batch.make(sources.map((source) => ({ source, to }))))
        assert.strictEqual(Either.isLeft(plan), sources.includes("a:1") && sources.includes("b:1"))
        if (Either.isRight(plan)) assert.strictEqual(plan.right.pushes.length, sources.length * to.length)
      })
    )
  })
})

describe("Batch, only", () => {
  const pushes = [
    { source: "app:1", to: ["@prod/team/app", "@mirror/app"] },
    { source: "oci:./build/worker#2", to: ["@prod/worker", "@hub/worker"] }
  ]
  const chosen = (...only: ReadonlyArray<string>) =>
    Either.map(anywhere(Batch.make(pushes, { only })), ({ pushes }) => pushes.map(({ target }) => String(target)))

  const [app, mirrored, worker, hub] = [
    "acme.azurecr.io/team/app:1",
    "ghcr.io/acme/app:1",
    "acme.azurecr.io/worker:2",
    "docker.io/acme/worker:2"
  ] as const

  const table: ReadonlyArray<readonly [globs: ReadonlyArray<string>, chosen: ReadonlyArray<string>]> = [
    [[], [app, mirrored, worker, hub]],
    [["app:*"], [app, mirrored]],
    [["docker.io/library/app:1"], [app, mirrored]],
    [["docker://*"], [app, mirrored]],
    [["oci:*"], [worker, hub]],
    [["@prod/*"], [app, worker]],
    [["@prod/worker:?"], [worker]],
    [["acme.azurecr.io/*"], [app, worker]],
    [["acme/worker:2"], [hub]],
    [["@hub/worker:2"], [hub]],
    [
      ["@mirror/*", "@hub/*"],
      [mirrored, hub]
    ],
    [["!@prod/*"], [mirrored, hub]],
    [["*app*", "!ghcr.io/*"], [app]],
    [["!nothing-like-it"], [app, mirrored, worker, hub]]
  ]
  for (const [globs, targets] of table) {
    it(`${globs.join(" ") || "nothing"} chooses ${targets.join(", ")}`, () => {
      assert.deepStrictEqual(Either.getOrThrow(chosen(...globs)), targets)
    })
  }

  for (const [globs, blamed] of [
    [["app"], ["app"]],
    [["app:1", "wroker*"], ["wroker*"]],
    [["!*"], ["!*"]],
    [
      ["app:1", "!docker*"],
      ["app:1", "!docker*"]
    ]
  ] as const) {
    it(`${globs.join(" ")} is refused, and ${blamed.join(" ")} is to blame`, () => {
      const [problem] = problemsOf(Batch.make(pushes, { only: globs }))
      assert.isTrue(problem?._tag === "NothingSelected")
      assert.deepStrictEqual(problem?._tag === "NothingSelected" ? [...problem.patterns] : [], [...blamed])
    })
  }

  it("hides no mistake in what it leaves out", () => {
    const wrong = Batch.make([...pushes, { source: "x:1", to: "@prod/worker:2" }], { only: ["app:*"] })
    assert.deepStrictEqual(tagsOf(problemsOf(wrong)), ["ConflictingTargets"])
  })
})

const live = (script: TestTransport.TestTransportScript) =>
  PushSupervisor.layer({ retries: 0 }).pipe(
    Layer.provideMerge(
      RegistryCatalog.layer({ prod: { uri: uris.prod, protect: ["v*"] }, mirror: { uri: uris.mirror } })
    ),
    Layer.provideMerge(TestTransport.layer(script))
  )

describe("Batch with a catalog", () => {
  it.effect("refuses a plan with a stranger in it, and nothing is asked for", () =>
    Effect.gen(function* () {
      const batch = Batch.make([{ source: "a:1", to: ["@prod/a", "other.io/a"] }])
      const { problems } = yield* Effect.flip(Batch.plan(batch))
      assert.deepStrictEqual(tagsOf(problems), ["NoMatchingRegistry"])
      assert.deepStrictEqual(yield* Effect.flatMap(TestTransport.TestTransport, ({ calls }) => calls), [])
    }).pipe(Effect.provide(live({})))
  )

  it.effect("runs a file's pushes and gives their results in the plan's order, also when some fail", () =>
    Effect.gen(function* () {
      const source = Either.getOrThrow(ImageSource.parse("a:1"))
      const targets = ["acme.azurecr.io/a:1", "ghcr.io/acme/a:1", "acme.azurecr.io/b:1"].map(ImageReference.unsafeParse)
      const plan = yield* Batch.plan(Batch.fromFile({ pushes: [{ source, targets }] }))
      const results = yield* Batch.run(plan)
      assert.deepStrictEqual(
        results.map(({ request, result }) => [
          String(request.target),
          Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: ({ status }) => status })
        ]),
        [
          ["acme.azurecr.io/a:1", "pushed"],
          ["ghcr.io/acme/a:1", "RegistryUnauthorized"],
          ["acme.azurecr.io/b:1", "pushed"]
        ]
      )
    }).pipe(
      Effect.provide(
        live({
          push: ({ target }) =>
            target.registry === "ghcr.io"
              ? Effect.fail(new RegistryUnauthorized({ registry: "ghcr.io", text: "" }))
              : Effect.succeed(TestTransport.result())
        })
      )
    )
  )

  it.effect("does not join pushes that differ in what becomes of a tag that exists", () =>
    Effect.gen(function* () {
      const { submitAll } = yield* PushSupervisor.PushSupervisor
      const target = ImageReference.unsafeParse("ghcr.io/acme/a:1")
      const handles = yield* submitAll(
        (["overwrite", "skip", "overwrite"] as const).map((onExisting) => PushRequest.make({ target, onExisting }))
      )
      assert.deepStrictEqual(new Set(handles.map(({ id }) => id)).size, 2)
    }).pipe(Effect.provide(live({})))
  )

  it.effect("keeps protected tags and skips what exists, and a preview says so before", () =>
    Effect.gen(function* () {
      const push = { source: "a:1", to: "@prod/a", tags: ["v1", "edge"] }
      const outcomes = (onExisting: "skip" | "fail" | "overwrite") =>
        Effect.gen(function* () {
          const plan = yield* Batch.plan(Batch.make([push], { onExisting }))
          const previews = yield* Effect.forEach(plan.pushes, (request) => Effect.either(Batch.preview(request)))
          const results = yield* Batch.run(plan)
          const said = [
            ...previews.map(Either.map(({ status }): string => status)),
            ...results.map(({ result }) => Either.map(result, ({ status }): string => status))
          ]
          return said.map((one) =>
            Either.merge(Either.mapLeft(one, (error) => (error._tag === "TagExists" ? error.reason : error._tag)))
          )
        })
      assert.deepStrictEqual(yield* outcomes("overwrite"), ["protected", "would-overwrite", "protected", "pushed"])
      assert.deepStrictEqual(yield* outcomes("fail"), ["protected", "on-existing", "protected", "on-existing"])
      assert.deepStrictEqual(yield* outcomes("skip"), ["skipped", "skipped", "skipped", "skipped"])
    }).pipe(
      Effect.provide(
        live({ compare: () => Effect.succeed({ _tag: "Different", digest: TestTransport.result().digest }) })
      )
    )
  )
})
