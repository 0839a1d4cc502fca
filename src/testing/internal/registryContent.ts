import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Descriptor from "../../image/Descriptor.ts"
import * as Manifest from "../../image/Manifest.ts"
import type { ManifestContent } from "../TestRegistry.ts"

/** What one repository holds, by digest and by tag. */
export interface Repository {
  readonly manifests: Map<string, ManifestContent>
  readonly tags: Map<string, string>
  readonly blobs: Map<string, Uint8Array>
  readonly uploads: Set<string>
}

export const digestOf = (body: Uint8Array): string => String(Descriptor.fromBytes({ mediaType: "", body }).digest)

export const isDigest = (reference: string): boolean => reference.includes(":")

/** Repositories by `host/repository`; a read makes none. */
export class Content {
  readonly #repositories = new Map<string, Repository>()

  find(name: string): Option.Option<Repository> {
    return Option.fromNullable(this.#repositories.get(name))
  }

  open(name: string): Repository {
    const known = this.#repositories.get(name)
    if (known !== undefined) return known
    const made: Repository = { manifests: new Map(), tags: new Map(), blobs: new Map(), uploads: new Set() }
    this.#repositories.set(name, made)
    return made
  }

  manifest(name: string, reference: string): Option.Option<ManifestContent> {
    return Option.flatMap(this.find(name), ({ manifests, tags }) =>
      Option.fromNullable(manifests.get(isDigest(reference) ? reference : (tags.get(reference) ?? "")))
    )
  }

  /** Stores a manifest under its digest and, unless the reference is one, under that tag. */
  storeManifest(name: string, reference: string, manifest: ManifestContent): string {
    const repository = this.open(name)
    const digest = digestOf(manifest.body)
    repository.manifests.set(digest, manifest)
    if (!isDigest(reference)) repository.tags.set(reference, digest)
    return digest
  }

  storeBlob(name: string, body: Uint8Array): string {
    const digest = digestOf(body)
    this.open(name).blobs.set(digest, body)
    return digest
  }
}

/** The content a manifest names that a repository does not hold; none for a manifest that can not be read. */
export const missingFrom = (
  repository: Repository,
  manifest: ManifestContent
): Either.Either<ReadonlyArray<string>, "invalid"> =>
  Either.mapBoth(Manifest.decode(new TextDecoder().decode(manifest.body)), {
    onLeft: () => "invalid" as const,
    onRight: (decoded) =>
      Manifest.isIndex(decoded)
        ? decoded.manifests.map(({ digest }) => String(digest)).filter((digest) => !repository.manifests.has(digest))
        : [decoded.config, ...decoded.layers]
            .map(({ digest }) => String(digest))
            .filter((digest) => !repository.blobs.has(digest))
  })
