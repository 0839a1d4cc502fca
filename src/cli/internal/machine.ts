import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import packageJson from "../../../package.json" with { type: "json" }
import * as Keychain from "../../credential/Keychain.ts"
import * as DockerEngine from "../../engine/DockerEngine.ts"
import * as PushTransport from "../../transport/PushTransport.ts"
import type { Machine } from "../Machine.ts"
import { layerNearImages } from "./nearImages.ts"

/** This machine: the engine that the docker command would use, and what `docker login` and `podman login` left. */
export const machine: Machine = {
  transport: (choice, engine) =>
    layerNearImages(Effect.flatMap(DockerEngine.DockerEngine, ({ imageNames }) => imageNames)).pipe(
      Layer.provide(PushTransport.layerEngine),
      Layer.provide(engine),
      Layer.provide(DockerEngine.layerFromContext(choice))
    ),
  engine: DockerEngine.layer,
  keychain: Layer.provide(Keychain.layer, Layer.merge(NodeFileSystem.layer, NodePath.layer)),
  version: packageJson.version,
  // Beside this module once it is bundled: scripts/lib/build.ts.
  credentialHelper: fileURLToPath(new URL("./docker-credential-gantry.js", import.meta.url))
}
