import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Layer from "effect/Layer"
import * as Keychain from "../../credential/Keychain.ts"
import * as DockerEngine from "../../engine/DockerEngine.ts"
import * as PushTransport from "../../transport/PushTransport.ts"
import type { Machine } from "../Machine.ts"

/** This machine: the engine that the docker command would use, and what `docker login` and `podman login` left. */
export const machine: Machine = {
  transport: Layer.provide(PushTransport.layerEngine, DockerEngine.layerFromEnv),
  keychain: Layer.provide(Keychain.layer, Layer.merge(NodeFileSystem.layer, NodePath.layer))
}
