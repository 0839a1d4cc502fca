import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"

/** A new empty folder, until the scope closes. */
export const temporaryFolder = (name: string) =>
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), `gantry-${name}-`))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
