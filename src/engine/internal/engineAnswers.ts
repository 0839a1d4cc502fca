import * as Schema from "effect/Schema"
import * as Digest from "../../reference/Digest.ts"
import type { DistributionInspection, EngineInfo, EngineVersion, ImageInspection } from "../DockerEngine.ts"
import { scrub } from "./scrub.ts"

/** A list that Go leaves out or writes as `null` when it is empty. */
const list = <A, I>(item: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(item), { nullable: true, default: () => [] })

/** The forms of the engine's JSON answers: https://docs.docker.com/reference/api/engine/ */
const VersionAnswer = Schema.Struct({
  Version: Schema.String,
  ApiVersion: Schema.String,
  Os: Schema.String,
  Arch: Schema.String
})

export const version = {
  schema: Schema.parseJson(VersionAnswer),
  read: (answer: typeof VersionAnswer.Type): EngineVersion => ({
    version: answer.Version,
    apiVersion: answer.ApiVersion,
    os: answer.Os,
    architecture: answer.Arch
  })
}

/** A text that Go leaves out when it is empty. */
const text = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })

const InfoAnswer = Schema.Struct({
  HttpProxy: text,
  HttpsProxy: text,
  NoProxy: text,
  // Of Podman's answer alone: https://github.com/containers/podman/blob/v4.3.1/pkg/api/handlers/types.go
  BuildahVersion: text,
  DriverStatus: list(Schema.Array(Schema.String)),
  RegistryConfig: Schema.optionalWith(
    Schema.Struct({
      InsecureRegistryCIDRs: list(Schema.String),
      IndexConfigs: Schema.optionalWith(
        Schema.Record({ key: Schema.String, value: Schema.Struct({ Secure: Schema.Boolean }) }),
        { nullable: true, default: () => ({}) }
      )
    }),
    { nullable: true, default: () => ({ InsecureRegistryCIDRs: [], IndexConfigs: {} }) }
  )
})

const imageStoreOf = ({ BuildahVersion, DriverStatus }: typeof InfoAnswer.Type): EngineInfo["imageStore"] => {
  if (BuildahVersion !== "") return "podman"
  const isContainerd = DriverStatus.some(
    ([name, value]) => name === "driver-type" && value === "io.containerd.snapshotter.v1"
  )
  return isContainerd ? "containerd" : "classic"
}

export const info = {
  schema: Schema.parseJson(InfoAnswer),
  read: (answer: typeof InfoAnswer.Type): EngineInfo => ({
    imageStore: imageStoreOf(answer),
    insecureRegistries: Object.entries(answer.RegistryConfig.IndexConfigs)
      .filter(([, index]) => !index.Secure)
      .map(([host]) => host),
    insecureNetworks: answer.RegistryConfig.InsecureRegistryCIDRs,
    // Docker masks a proxy's password itself, and Podman says nothing of proxies.
    httpProxy: scrub(answer.HttpProxy),
    httpsProxy: scrub(answer.HttpsProxy),
    noProxy: answer.NoProxy
  })
}

const ImageAnswer = Schema.Struct({
  Id: Schema.String,
  RepoTags: list(Schema.String),
  RepoDigests: list(Schema.String),
  RootFS: Schema.optionalWith(Schema.Struct({ Layers: list(Schema.String) }), {
    nullable: true,
    default: () => ({ Layers: [] })
  }),
  Os: Schema.String,
  Architecture: Schema.String
})

export const image = {
  schema: Schema.parseJson(ImageAnswer),
  read: (answer: typeof ImageAnswer.Type): ImageInspection => ({
    id: answer.Id,
    repoTags: answer.RepoTags,
    repoDigests: answer.RepoDigests,
    layers: answer.RootFS.Layers,
    os: answer.Os,
    architecture: answer.Architecture
  })
}

// An engine gives null for an image without a name.
const ImagesAnswer = Schema.Array(Schema.Struct({ RepoTags: list(Schema.String) }))

export const imageNames = {
  schema: Schema.parseJson(ImagesAnswer),
  read: (images: typeof ImagesAnswer.Type): ReadonlyArray<string> =>
    images.flatMap(({ RepoTags }) => RepoTags).filter((name) => name !== "<none>:<none>")
}

const DistributionAnswer = Schema.Struct({
  Descriptor: Schema.Struct({ mediaType: Schema.String, digest: Digest.FromString, size: Schema.Number }),
  Platforms: list(
    Schema.Struct({
      os: Schema.String,
      architecture: Schema.String,
      variant: Schema.optionalWith(Schema.String, { default: () => "" })
    })
  )
})

export const distribution = {
  schema: Schema.parseJson(DistributionAnswer),
  read: (answer: typeof DistributionAnswer.Type): DistributionInspection => ({
    ...answer.Descriptor,
    platforms: answer.Platforms.map(({ architecture, os, variant }) =>
      [os, architecture, variant].filter((part) => part !== "").join("/")
    )
  })
}
