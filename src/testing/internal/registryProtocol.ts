import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { RegistryRequest, RegistryResponse } from "../../distribution/RegistryHttp.ts"
import { answer, json, refuse } from "./registryAnswer.ts"
import { type Content, digestOf, isDigest, missingFrom, type Repository } from "./registryContent.ts"

/** A request on one repository of one registry. */
interface Target {
  /** `host/repository`, the key of the content. */
  readonly name: string
  readonly repository: string
  readonly reference: string
  readonly body: Uint8Array
  readonly url: URL
  readonly contentType: string
}

type Handler = (content: Content, target: Target) => RegistryResponse

const MANIFEST_UNKNOWN = refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
const NAME_UNKNOWN = refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
const BLOB_UNKNOWN = refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")

const getManifest: Handler = (content, { name, reference }) =>
  Option.match(content.manifest(name, reference), {
    onNone: () => MANIFEST_UNKNOWN,
    onSome: ({ body, mediaType }) =>
      answer(
        200,
        {
          "content-type": mediaType,
          "content-length": String(body.length),
          "docker-content-digest": digestOf(body)
        },
        body
      )
  })

const putManifest: Handler = (content, { body, contentType, name, reference, repository }) => {
  const manifest = { mediaType: contentType, body }
  const missing = missingFrom(content.open(name), manifest)
  if (Either.isLeft(missing)) return refuse(400, "MANIFEST_INVALID", "manifest invalid")
  if (missing.right.length > 0) return refuse(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
  if (isDigest(reference) && digestOf(body) !== reference) {
    return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  }
  const digest = content.storeManifest(name, reference, manifest)
  return answer(201, { location: `/v2/${repository}/manifests/${digest}`, "docker-content-digest": digest })
}

const getBlob: Handler = (content, { name, reference }) =>
  Option.match(
    Option.flatMap(content.find(name), ({ blobs }) => Option.fromNullable(blobs.get(reference))),
    {
      onNone: () => BLOB_UNKNOWN,
      onSome: (body) => answer(200, { "content-length": String(body.length), "docker-content-digest": reference }, body)
    }
  )

const getTags: Handler = (content, { name, repository }) =>
  Option.match(content.find(name), {
    onNone: () => NAME_UNKNOWN,
    onSome: ({ tags }) => json(200, { name: repository, tags: [...tags.keys()].sort() })
  })

const openUpload: Handler = (content, { name, repository }) => {
  const { uploads } = content.open(name)
  const session = String(uploads.size + 1)
  uploads.add(session)
  return answer(202, { location: `/v2/${repository}/blobs/uploads/${session}` })
}

const inUpload =
  (handle: (repository: Repository, content: Content, target: Target) => RegistryResponse): Handler =>
  (content, target) => {
    const repository = content.open(target.name)
    return repository.uploads.delete(target.reference)
      ? handle(repository, content, target)
      : refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
  }

const putBlob = inUpload((_, content, { body, name, repository, url }) => {
  const wanted = url.searchParams.get("digest") ?? ""
  if (digestOf(body) !== wanted) return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  content.storeBlob(name, body)
  return answer(201, { location: `/v2/${repository}/blobs/${wanted}`, "docker-content-digest": wanted })
})

const cancelUpload = inUpload(() => answer(204))

interface Route {
  readonly method: RegistryRequest["method"]
  readonly path: RegExp
  readonly action: "pull" | "push"
  readonly handle: Handler
}

const MANIFESTS = /^\/v2\/(.+)\/manifests\/([^/]+)$/
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/
const BLOBS = /^\/v2\/(.+)\/blobs\/([^/]+)$/

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
const routes: ReadonlyArray<Route> = [
  { method: "GET", path: MANIFESTS, action: "pull", handle: getManifest },
  { method: "PUT", path: MANIFESTS, action: "push", handle: putManifest },
  { method: "GET", path: /^\/v2\/(.+)\/tags\/list()$/, action: "pull", handle: getTags },
  { method: "POST", path: /^\/v2\/(.+)\/blobs\/uploads\/()$/, action: "push", handle: openUpload },
  { method: "PUT", path: UPLOAD, action: "push", handle: putBlob },
  { method: "DELETE", path: UPLOAD, action: "push", handle: cancelUpload },
  { method: "GET", path: BLOBS, action: "pull", handle: getBlob }
]

/** What a request asks of which repository, with the way to do it. */
export interface Operation {
  readonly repository: string
  readonly action: "pull" | "push"
  readonly run: (content: Content) => RegistryResponse
}

/** A HEAD is a GET whose body is not sent. */
export const operationOf = (request: RegistryRequest): Option.Option<Operation> => {
  const method = request.method === "HEAD" ? "GET" : request.method
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(request.url.pathname) : null
    if (match === null) continue
    const [, repository = "", reference = ""] = match
    const target: Target = {
      name: `${request.registry}/${repository}`,
      repository,
      reference: decodeURIComponent(reference),
      body: request.body === undefined ? new Uint8Array() : Redacted.value(request.body),
      url: request.url,
      contentType: request.headers["content-type"] ?? ""
    }
    return Option.some({ repository, action: route.action, run: (content) => route.handle(content, target) })
  }
  return Option.none()
}
