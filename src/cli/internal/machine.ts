import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Layer from "effect/Layer"
import * as Keychain from "../../credential/Keychain.ts"
import * as DockerEngine from "../../engine/DockerEngine.ts"
import * as PushTransport from "../../transport/PushTransport.ts"
import type { Machine } from "../Machine.ts"
import { imageNames, layerNearImages } from "./nearImages.ts"

/** This machine: the engine that the docker command would use, and what `docker login` and `podman login` left. */
export const machine: Machine = {
  transport: (choice) =>
    Layer.provide(
      layerNearImages(imageNames),
      Layer.provideMerge(PushTransport.layerEngine, DockerEngine.layerFromContext(choice))
    ),
  engine: DockerEngine.layer,
  keychain: Layer.provide(Keychain.layer, Layer.merge(NodeFileSystem.layer, NodePath.layer)),
  // Beside this module once it is bundled: scripts/lib/build.ts.
  credentialHelper: fileURLToPath(new URL("./docker-credential-gantry.js", import.meta.url))
}
