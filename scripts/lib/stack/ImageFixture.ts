/**
 * Images made of nothing: a `docker load`-able docker-archive with layers of pseudo-random bytes.
 *
 * Content comes from a seed, so the same fixture has the same image id everywhere, and does not compress, so a layer of
 * 64 MiB is 64 MiB on the wire. Two layers with the same seed and size are one layer.
 */
import { createCipheriv, createHash } from "node:crypto"

export const MiB = 1024 * 1024

export interface LayerOptions {
  readonly seed: string
  /** Bytes of the one file in the layer. */
  readonly size: number
}

export interface FixtureOptions {
  /** Repository tags such as `127.0.0.1:5000/lab/app:v1`; empty for an untagged image. */
  readonly tags: ReadonlyArray<string>
  readonly layers: ReadonlyArray<LayerOptions>
}

export interface Layer extends LayerOptions {
  /** Digest of the uncompressed layer tar. */
  readonly diffId: string
  /** Bytes of the uncompressed layer tar. */
  readonly tarSize: number
}

export interface ImageFixture {
  /** `sha256:…` of the image's configuration: the Id of the image in an engine with the classic image store. */
  readonly id: string
  readonly tags: ReadonlyArray<string>
  readonly layers: ReadonlyArray<Layer>
  /** The bytes of the image's configuration. */
  readonly config: Buffer
}

const blockSize = 512
const chunkSize = MiB

const padding = (size: number) => Buffer.alloc((blockSize - (size % blockSize)) % blockSize)

const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`

/** A ustar header for a regular file (POSIX.1-1988); all that varies is the name and the size. */
const tarHeader = (name: string, size: number): Buffer => {
  const header = Buffer.alloc(blockSize)
  header.write(name, 0, 100, "utf8")
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(size, 12), 124)
  header.write(octal(0, 12), 136)
  header.write("        ", 148)
  header.write("0", 156)
  header.write("ustar\0" + "00", 257)
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7
    ),
    148
  )
  return header
}

const tarEnd = Buffer.alloc(2 * blockSize)

const tarredSize = (size: number) => blockSize + size + padding(size).length

/** AES-256-CTR over zeros: fast, reproducible, and incompressible. */
function* randomBytes({ seed, size }: LayerOptions): Generator<Buffer> {
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(seed).digest(), Buffer.alloc(16))
  const zeros = Buffer.alloc(Math.min(chunkSize, size))
  for (let left = size; left > 0; left -= chunkSize) {
    yield cipher.update(left < chunkSize ? zeros.subarray(0, left) : zeros)
  }
}

function* layerTar(layer: LayerOptions): Generator<Buffer> {
  yield tarHeader("fixture.bin", layer.size)
  yield* randomBytes(layer)
  yield padding(layer.size)
  yield tarEnd
}

const sha256 = (chunks: Iterable<Uint8Array>): string => {
  const hash = createHash("sha256")
  for (const chunk of chunks) {
    hash.update(chunk)
  }
  return hash.digest("hex")
}

/** Describes a fixture: its layers are generated once to learn their digests, and again whenever they are written. */
export const make = (options: FixtureOptions): ImageFixture => {
  const layers = options.layers.map((layer) => ({
    ...layer,
    diffId: `sha256:${sha256(layerTar(layer))}`,
    tarSize: tarredSize(layer.size) + tarEnd.length
  }))
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      created: "2026-01-01T00:00:00Z",
      config: { Cmd: ["/fixture.bin"] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((layer) => ({ created: "2026-01-01T00:00:00Z", created_by: `fixture ${layer.seed}` }))
    })
  )
  return { id: `sha256:${sha256([config])}`, tags: options.tags, layers, config }
}

const hex = (digest: string) => digest.slice("sha256:".length)

const layerFile = (layer: Layer) => `${hex(layer.diffId)}/layer.tar`

/** The docker-archive, generated chunk by chunk: a 1 GiB image takes about 1 MiB of memory. */
export function* archive(fixture: ImageFixture): Generator<Buffer> {
  const distinct = new Map(fixture.layers.map((layer) => [layer.diffId, layer]))
  for (const layer of distinct.values()) {
    yield tarHeader(layerFile(layer), layer.tarSize)
    yield* layerTar(layer)
    yield padding(layer.tarSize)
  }
  const manifest = Buffer.from(
    JSON.stringify([
      { Config: `${hex(fixture.id)}.json`, RepoTags: fixture.tags, Layers: fixture.layers.map(layerFile) }
    ])
  )
  const files: ReadonlyArray<readonly [string, Buffer]> = [
    [`${hex(fixture.id)}.json`, fixture.config],
    ["manifest.json", manifest]
  ]
  for (const [name, content] of files) {
    yield tarHeader(name, content.length)
    yield content
    yield padding(content.length)
  }
  yield tarEnd
}
