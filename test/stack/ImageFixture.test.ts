import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"

const sha256 = (content: Uint8Array) => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** The files of a tar, read by the format's rules and not by the writer's. */
const untar = (tar: Buffer): Map<string, Buffer> => {
  const files = new Map<string, Buffer>()
  let offset = 0
  while (tar[offset] !== 0) {
    const header = tar.subarray(offset, offset + 512)
    const field = (start: number, length: number) =>
      header.toString("latin1", start, start + length).replace(/[\0 ].*$/s, "")
    const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
    assert.strictEqual(Number.parseInt(field(148, 8), 8), sum)
    const size = Number.parseInt(field(124, 12), 8)
    const name = field(0, 100)
    assert.isFalse(files.has(name))
    files.set(name, tar.subarray(offset + 512, offset + 512 + size))
    offset += 512 + Math.ceil(size / 512) * 512
  }
  assert.isTrue(tar.subarray(offset).equals(Buffer.alloc(1024)))
  return files
}

const archive = (fixture: ImageFixture.ImageFixture) => Buffer.concat([...ImageFixture.archive(fixture)])

const layer = FastCheck.record({
  seed: FastCheck.constantFrom("a", "b"),
  size: FastCheck.oneof(
    FastCheck.nat({ max: 2000 }),
    FastCheck.constantFrom(ImageFixture.MiB - 1, ImageFixture.MiB, ImageFixture.MiB + 1)
  )
})

describe("ImageFixture", () => {
  it("writes an archive whose configuration and layers have the digests it foretells", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(layer, { maxLength: 3 }), (layers) => {
        const fixture = ImageFixture.make({ tags: ["lab/app:v1"], layers })
        const files = untar(archive(fixture))
        const [image] = JSON.parse(files.get("manifest.json")?.toString() ?? "")
        assert.deepStrictEqual(image.RepoTags, ["lab/app:v1"])
        const config = files.get(image.Config) ?? Buffer.alloc(0)
        assert.strictEqual(sha256(config), fixture.id)
        const diffIds = image.Layers.map((name: string) => sha256(files.get(name) ?? Buffer.alloc(0)))
        assert.deepStrictEqual(JSON.parse(config.toString()).rootfs.diff_ids, diffIds)
        assert.deepStrictEqual(
          fixture.layers.map(({ diffId }) => diffId),
          diffIds
        )
        for (const [index, { size }] of layers.entries()) {
          assert.strictEqual(untar(files.get(image.Layers[index]) ?? Buffer.alloc(0)).get("fixture.bin")?.length, size)
        }
      }),
      { numRuns: 30 }
    )
  })

  it("gives the same seed and size the same layer, and another seed another", () => {
    const diffIds = (...layers: ReadonlyArray<ImageFixture.LayerOptions>) =>
      ImageFixture.make({ tags: [], layers }).layers.map(({ diffId }) => diffId)
    const [first, second, third] = diffIds(
      { seed: "a", size: 1000 },
      { seed: "a", size: 1000 },
      { seed: "b", size: 1000 }
    )
    assert.strictEqual(first, second)
    assert.notStrictEqual(first, third)
    assert.deepStrictEqual(diffIds({ seed: "a", size: 1000 }), [first])
  })

  it("keeps its content from one release of gantry to the next", () => {
    assert.strictEqual(
      ImageFixture.make({ tags: [], layers: [{ seed: "golden", size: 1000 }] }).id,
      "sha256:8c80bfeeb8288134c305ea913443e111e66461dad57929053f3dd98d7461e4c8"
    )
  })
})
