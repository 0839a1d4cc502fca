import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as PushPlan from "../../src/cli/PushPlan.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"

const make = (sources: ReadonlyArray<string>, targets: ReadonlyArray<string> = []) =>
  PushPlan.make({
    sources: sources.map((text) => Either.getOrThrow(ImageSource.parse(text))),
    targets: targets.map(ImageReference.unsafeParse),
    platform: Option.none()
  })

const pairs = (sources: ReadonlyArray<string>, targets?: ReadonlyArray<string>) =>
  Either.getOrThrow(make(sources, targets)).pushes.map(({ source, target }) => `${source} ${target}`)

const problems = (sources: ReadonlyArray<string>, targets?: ReadonlyArray<string>) =>
  Either.getOrThrow(Either.flip(make(sources, targets)))

describe("PushPlan", () => {
  it("pushes each source to its own name when there is no target", () => {
    assert.deepStrictEqual(pairs(["localhost:5000/a:1", "docker://reg.io/b"]), [
      "docker://localhost:5000/a:1 localhost:5000/a:1",
      "docker://reg.io/b:latest reg.io/b:latest"
    ])
  })

  it("pushes every source to every target, source by source", () => {
    assert.deepStrictEqual(pairs(["a:1", "b:2"], ["reg.io/x", "reg.io/y"]), [
      "docker://docker.io/library/a:1 reg.io/x:1",
      "docker://docker.io/library/a:1 reg.io/y:1",
      "docker://docker.io/library/b:2 reg.io/x:2",
      "docker://docker.io/library/b:2 reg.io/y:2"
    ])
  })

  it("gives a target with no tag the source's tag, else latest", () => {
    assert.deepStrictEqual(pairs(["oci:./layout#1.4"], ["reg.io/x"]), ["oci:./layout#1.4 reg.io/x:1.4"])
    assert.deepStrictEqual(pairs(["docker-archive:./f.tar#app:7"], ["reg.io/x"]), [
      "docker-archive:./f.tar#app:7 reg.io/x:7"
    ])
    assert.deepStrictEqual(pairs(["registry://reg.io/a:3"], ["reg.io/x"]), ["registry://reg.io/a:3 reg.io/x:3"])
    assert.deepStrictEqual(pairs(["oci:./layout"], ["reg.io/x"]), ["oci:./layout reg.io/x:latest"])
    assert.deepStrictEqual(pairs(["a:1"], ["reg.io/x:2"]), ["docker://docker.io/library/a:1 reg.io/x:2"])
  })

  it("joins equal pairs, however they are spelled", () => {
    assert.deepStrictEqual(pairs(["alpine", "docker://docker.io/library/alpine:latest"]), [
      "docker://docker.io/library/alpine:latest docker.io/library/alpine:latest"
    ])
  })

  it("refuses two sources for one target and names them all", () => {
    const [problem, ...others] = problems(["a:1", "b:1", "c:1"], ["reg.io/x"])
    assert.deepStrictEqual(others, [])
    for (const name of ["reg.io/x:1", "library/a:1", "library/b:1", "library/c:1"]) assert.include(problem, name)
  })

  it("refuses a source without a name of its own when there is no target, and says to use --to", () => {
    const found = problems(["oci:./layout", "registry://reg.io/a:1", `app@sha256:${"a".repeat(64)}`])
    assert.strictEqual(found.length, 3)
    for (const problem of found) assert.include(problem, "--to")
  })

  it("refuses a layout's tag that can not be a registry's", () => {
    assert.include(problems(["oci:./layout#a/b"], ["reg.io/x"])[0], "tag")
  })

  it("lists each host once", () => {
    const plan = Either.getOrThrow(make(["a:1"], ["reg.io/x", "reg.io/y", "localhost:5000/x"]))
    assert.deepStrictEqual(plan.hosts, ["reg.io", "localhost:5000"])
  })

  it("plans sources × targets, or says that targets conflict, for any sources and targets", () => {
    const tags = FastCheck.constantFrom("a:1", "b:1", "b:2", "c:3")
    const targets = FastCheck.constantFrom("reg.io/x", "reg.io/y", "other.io/x")
    FastCheck.assert(
      FastCheck.property(
        FastCheck.uniqueArray(tags, { minLength: 1 }),
        FastCheck.uniqueArray(targets, { minLength: 1 }),
        (sources, targets) => {
          const plan = make(sources, targets)
          const conflicts = sources.includes("a:1") && sources.includes("b:1")
          assert.strictEqual(Either.isLeft(plan), conflicts)
          if (Either.isRight(plan)) assert.strictEqual(plan.right.pushes.length, sources.length * targets.length)
        }
      )
    )
  })
})
