/** One release as a program and as a file: what the first of the two has pushed, the second finds unchanged. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as LabUser from "../stack/LabUser.ts"
import * as Command from "./Command.ts"
import { type Surroundings, version } from "./Surroundings.ts"
import type { Workspace } from "./Workspace.ts"

const pushes = 5

export const check = (workspace: Workspace, { dockerHost, registries }: Surroundings) =>
  Effect.gen(function* () {
    const released = Effect.fnUntraced(function* (name: string, program: ReadonlyArray<string>, status: string) {
      const output = yield* Command.output(
        workspace.command("batch", "npx", ["--no-install", ...program], {
          DOCKER_HOST: dockerHost,
          VERSION: version,
          PROD: `${registries.htpasswd.host}/${name}`,
          MIRROR: `${registries.open.host}/${name}`,
          PROD_USERNAME: LabUser.dev.username,
          PROD_PASSWORD: LabUser.dev.password
        })
      )
      const told = [...output.matchAll(/: (pushed|unchanged|skipped) /g)].map(([, word]) => word)
      yield* Command.expect(
        `${program.join(" ")}: ${pushes} ${status}`,
        told.length === pushes && told.every((word) => word === status),
        output
      )
      yield* Console.log(`batch: ${program.join(" ")}, ${pushes} ${status}`)
    })
    const [program, file] = [
      ["tsx", "release.ts"],
      ["gantry", "batch", "gantry.yaml"]
    ]
    yield* released("by-program", program, "pushed")
    yield* released("by-program", file, "unchanged")
    yield* released("by-file", file, "pushed")
    yield* released("by-file", file, "unchanged")
  })
