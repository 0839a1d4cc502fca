import * as Option from "effect/Option"
import type { ImageInspection } from "../../engine/DockerEngine.ts"
import * as Digest from "../../reference/Digest.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import type { TestImage } from "../TestEngine.ts"

interface StoredImage {
  readonly inspection: Omit<ImageInspection, "repoTags">
  readonly names: Set<string>
}

const nameOf = (image: ImageReference.ImageReference): string =>
  Option.isNone(image.tag) && Option.isNone(image.digest) ? `${image}:latest` : String(image)

/** The images of a scripted engine, found by name or by id at the same cost however many there are. */
export const makeTestImages = () => {
  const byName = new Map<string, StoredImage>()
  const byId = new Map<string, StoredImage>()

  const find = (image: ImageReference.ImageReference | Digest.Digest): StoredImage | undefined =>
    Digest.isDigest(image) ? byId.get(String(image)) : byName.get(nameOf(image))

  const tag = (stored: StoredImage, target: ImageReference.ImageReference): void => {
    const name = nameOf(target)
    byName.get(name)?.names.delete(name)
    byName.set(name, stored)
    stored.names.add(name)
  }

  return {
    find,
    tag,
    untag: (stored: StoredImage, image: ImageReference.ImageReference): void => {
      byName.delete(nameOf(image))
      stored.names.delete(nameOf(image))
    },
    add: (image: TestImage): void => {
      const { architecture = "amd64", layers = [], os = "linux", repoDigests = [] } = image
      const id = image.id ?? `sha256:${(byId.size + 1).toString(16).padStart(64, "0")}`
      const stored = { inspection: { id, layers, repoDigests, os, architecture }, names: new Set<string>() }
      byId.set(id, stored)
      for (const name of image.names) tag(stored, ImageReference.unsafeParse(name))
    },
    inspect: ({ inspection, names }: StoredImage): ImageInspection => ({
      ...inspection,
      repoTags: [...names].map((name) => ImageReference.familiar(ImageReference.unsafeParse(name)))
    }),
    names: (): ReadonlyArray<string> => [...byName.keys()]
  }
}
